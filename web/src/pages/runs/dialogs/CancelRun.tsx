import type { Live, RunView } from "@typed-flows/react";
import { useState } from "react";
import { act } from "../../../ask";
import { Button } from "../../../parts/Button";
import { Dialog } from "../../../parts/Dialog";
import { useToast } from "../../../parts/Toast";
import { useAct } from "../../../parts/useActing";
import * as text from "../../../text";
import { TextField, Wrong } from "./fields";

export function CancelRun({ run, onClose }: { run: Live<RunView>; onClose: () => void }) {
  const toast = useToast();
  const [reason, setReason] = useState("");
  const { cancelDialog: said } = text.run;
  const open = run.steps.some((step) => step.status === "waiting" && step.total != null);
  const undos = run.steps.filter((step) => step.undo && step.status === "done").length;
  const cancel = useAct(async () => {
    const answer = await act("runs.cancel", reason ? { id: run.id, reason } : { id: run.id });
    toast(said.done(answer.word));
    onClose();
  });
  return (
    <Dialog
      title={said.title}
      onClose={onClose}
      acts={
        <>
          <Button onPress={onClose}>{said.keep}</Button>
          <Button look="bad" icon="x" busy={cancel.busy} onPress={cancel.run}>
            {said.act}
          </Button>
        </>
      }
    >
      <p>{said.says(open, undos)}</p>
      <TextField label={said.reason} type={said.optional} value={reason} onChange={setReason} />
      <Wrong what={cancel.wrong} />
    </Dialog>
  );
}
