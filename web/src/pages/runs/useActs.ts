/** What may be done with a run: each with the reason why it cannot be done now. */
import type { Live, RunView, StepView } from "@typed-flows/react";
import { useWhyNot } from "../../me";
import { copy } from "../../parts/copy";
import { useToast } from "../../parts/Toast";
import { useActing } from "../../parts/useActing";
import * as text from "../../text";
import type { Open } from "./dialogs/Dialogs";
import { hasEnded } from "./waterfall/bars";

export type Acts = ReturnType<typeof useActs>;
type Step = Live<StepView>;

export function useActs(run: Live<RunView>, old: boolean, open: Open) {
  const whyNot = useWhyNot();
  const toast = useToast();
  const { busy, run: acting } = useActing();
  const { off } = text.run;
  const away = old ? off.old : null;
  const ended = hasEnded(run);
  const again = run.status === "failed" || run.status === "cancelled";
  return {
    copyLink: {
      run: () => void copy(location.href).then((done) => toast(done ? text.run.linkCopied : text.parts.notCopied)),
    },
    retry: {
      off: away ?? whyNot("runs.retry") ?? (again ? null : off.notFailed),
      busy,
      run: () => void acting("runs.retry", { id: run.id }, text.run.retried),
    },
    cancel: {
      off: away ?? whyNot("runs.cancel") ?? (ended ? off.ended : null),
      run: () => open({ kind: "cancel" }),
    },
    fork: {
      off: away ?? whyNot("runs.fork"),
      run: (step: string) => open({ kind: "fork", step }),
    },
    move: {
      off: away ?? whyNot("runs.move") ?? (run.version == null ? off.noVersion : ended ? off.ended : null),
      run: () => open({ kind: "move" }),
    },
    send: {
      off: away ?? whyNot("runs.send"),
      run: (step: Step) => open({ kind: "send", step }),
    },
    answer: {
      off: away ?? whyNot("runs.provide"),
      run: (step: Step) => open({ kind: "answer", step }),
    },
  };
}
