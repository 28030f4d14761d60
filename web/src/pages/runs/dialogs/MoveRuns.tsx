/** Lets the runs that stay with a version of their workflow's code go on with another one. */
import type { Live, RunView, WorkflowView } from "@typed-flows/react";
import { useEffect, useState } from "react";
import { act, ask } from "../../../ask";
import { Button } from "../../../parts/Button";
import { Dialog } from "../../../parts/Dialog";
import { useToast } from "../../../parts/Toast";
import { useAct } from "../../../parts/useActing";
import * as text from "../../../text";
import { Choice, Wrong } from "./fields";

const PINNED = "@=";

export function MoveRuns({ run, onClose }: { run: Live<RunView>; onClose: () => void }) {
  const toast = useToast();
  const { moveDialog: said } = text.run;
  const [found, setFound] = useState<WorkflowView | null>(null);
  const [to, setTo] = useState("");
  useEffect(() => {
    const gone = new AbortController();
    ask("runs.workflows", {}, gone.signal).then(
      (all) => setFound(all.find((one) => one.workflow === run.workflow) ?? null),
      () => {},
    );
    return () => gone.abort();
  }, [run.workflow]);
  const versions = Object.keys(found?.by_queue ?? {})
    .filter((queue) => queue.includes(PINNED))
    .map((queue) => queue.slice(queue.indexOf(PINNED) + PINNED.length))
    .filter((version) => version !== run.version);
  const move = useAct(async () => {
    const answer = await act("runs.move", { workflow: run.workflow, version: run.version ?? null, to: to || null });
    toast(said.done(answer.word));
    onClose();
  });
  return (
    <Dialog
      title={said.title(run.workflow)}
      onClose={onClose}
      acts={
        <Button look="pri" icon="move" busy={move.busy} onPress={move.run}>
          {said.act}
        </Button>
      }
    >
      <p>{said.says(run.version ?? "")}</p>
      <Choice
        label={said.to}
        value={to}
        onChange={setTo}
        options={[["", said.none], ...versions.map((one) => [one, one] as const)]}
      />
      <Wrong what={move.wrong} />
    </Dialog>
  );
}
