import type { Live, RunView } from "@typed-flows/react";
import { useState } from "react";
import { readJson, writeJson } from "../../../exact";
import { act } from "../../../ask";
import { Button } from "../../../parts/Button";
import { Dialog } from "../../../parts/Dialog";
import { useToast } from "../../../parts/Toast";
import { useAct } from "../../../parts/useActing";
import { at, navigate } from "../../../route";
import * as text from "../../../text";
import { isOwn, takenOver } from "../fork";
import { Choice, JsonField, whyNoJson, Wrong } from "./fields";

const NAMES = 6;
/** What the server puts in the place of what is hidden. */
const HIDDEN = "•••";

export function ForkRun({ run, step: chosen, onClose }: { run: Live<RunView>; step: string; onClose: () => void }) {
  const toast = useToast();
  const { forkDialog: said, step: words } = text.run;
  const places = run.steps.filter((step) => !isOwn(step.name)).map((step) => step.name);
  const [step, setStep] = useState(places.includes(chosen) ? chosen : "");
  const before = writeJson(run.input ?? null, 2);
  const [input, setInput] = useState(before);
  const { kept, again } = takenOver(run, step);
  const partial = run.cut === true || before.includes(HIDDEN);
  const off = whyNoJson(input) ?? (partial && input !== before ? said.partial : null);
  const fork = useAct(async () => {
    // What is shown may be shortened or hidden: only what was edited is sent.
    const changed = input !== before;
    const made = await act("runs.fork", {
      id: run.id,
      step,
      ...(changed ? { input: readJson(input) } : {}),
    });
    toast(said.done);
    onClose();
    navigate(at("runs", made.id));
  });
  return (
    <Dialog
      title={said.title(step)}
      onClose={onClose}
      acts={
        <Button look="pri" icon="fork" busy={fork.busy} off={off} onPress={fork.run}>
          {said.act}
        </Button>
      }
    >
      <Choice
        label={said.from}
        value={step}
        onChange={setStep}
        options={[["", said.beginning], ...places.map((name) => [name, name] as const)]}
        help={
          step && (
            <bdi>
              {words.forkKeeps(kept.slice(0, NAMES), kept.length)}{" "}
              {words.forkAgain(again.slice(0, NAMES), again.length)}
            </bdi>
          )
        }
      />
      <JsonField label={said.input} value={input} onChange={setInput} />
      <Wrong what={fork.wrong ?? (partial ? said.partial : null)} />
    </Dialog>
  );
}
