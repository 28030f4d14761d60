/** The dialogs of a run, one at a time. */
import type { Live, RunView, StepView } from "@typed-flows/react";
import { useState } from "react";
import { CancelRun } from "./CancelRun";
import { ForkRun } from "./ForkRun";
import { MoveRuns } from "./MoveRuns";
import { SendData } from "./SendData";

type Step = Live<StepView>;
export type Which =
  | { kind: "cancel" }
  | { kind: "move" }
  | { kind: "fork"; step: string }
  | { kind: "send"; step: Step }
  | { kind: "answer"; step: Step };
export type Open = (which: Which) => void;

export function useDialog() {
  const [which, open] = useState<Which | null>(null);
  const [closed, setClosed] = useState(0);
  const close = () => {
    open(null);
    setClosed((n) => n + 1);
  };
  /** `closed`: how often one was closed, and so something may have been asked for. */
  return { which, closed, open: open as Open, close };
}

export function Dialogs({ run, dialog }: { run: Live<RunView>; dialog: ReturnType<typeof useDialog> }) {
  const { which, close } = dialog;
  switch (which?.kind) {
    case "cancel":
      return <CancelRun run={run} onClose={close} />;
    case "move":
      return <MoveRuns run={run} onClose={close} />;
    case "fork":
      return <ForkRun run={run} step={which.step} onClose={close} />;
    case "send":
    case "answer":
      return <SendData run={run} step={which.step} onClose={close} />;
    default:
      return null;
  }
}
