/** What is asked before something is done to a job: why it is cancelled, whether it is really deleted, its priority. */
import { useId, useState, type ReactNode } from "react";
import { act, Problem } from "../../ask";
import { Button } from "../../parts/Button";
import { Dialog } from "../../parts/Dialog";
import { Segments } from "../../parts/Segments";
import { useToast } from "../../parts/Toast";
import * as text from "../../text";

const said = text.job.dialogs;

interface Of {
  id: string;
  flow: string;
}

interface Props {
  of: Of;
  onClose: () => void;
}

/** Does something by a button of a dialog; what is refused is told there, and the dialog stays. */
export function useGo(onClose: () => void) {
  const toast = useToast();
  const [busy, setBusy] = useState(false);
  const [refused, setRefused] = useState<string | null>(null);
  const go = async (doing: () => Promise<{ word: string }>) => {
    setBusy(true);
    setRefused(null);
    try {
      toast(text.job.acted((await doing()).word));
      onClose();
    } catch (error) {
      setRefused(error instanceof Problem ? error.detail : String(error));
      setBusy(false);
    }
  };
  return { busy, refused, go };
}

export function Refused({ why }: { why: string | null }): ReactNode {
  return (
    why && (
      <p className="fault" role="alert">
        {why}
      </p>
    )
  );
}

export function CancelDialog({ of, state, children, onClose }: Props & { state: string; children: boolean }) {
  const id = useId();
  const [reason, setReason] = useState("");
  const { busy, refused, go } = useGo(onClose);
  return (
    <Dialog
      title={said.cancelTitle}
      onClose={onClose}
      acts={
        <>
          <Button onPress={onClose}>{said.close}</Button>
          <Button
            look="bad"
            icon="x"
            busy={busy}
            onPress={() => void go(() => act("jobs.cancel", reason ? { ...of, reason } : of))}
          >
            {said.cancelGo}
          </Button>
        </>
      }
    >
      <p>{said.cancel(state, children)}</p>
      <div className="field">
        <label htmlFor={id}>{said.reason}</label>
        <input
          id={id}
          className="inp"
          maxLength={1000}
          value={reason}
          onChange={(event) => setReason(event.target.value)}
        />
      </div>
      <Refused why={refused} />
    </Dialog>
  );
}

export function DeleteDialog({ of, onClose }: Props) {
  const [sure, setSure] = useState(false);
  const { busy, refused, go } = useGo(onClose);
  return (
    <Dialog
      title={said.deleteTitle}
      onClose={onClose}
      acts={
        <>
          <Button onPress={onClose}>{said.close}</Button>
          <Button
            look="bad"
            icon="bin"
            busy={busy}
            onPress={() => (sure ? void go(() => act("jobs.delete", of)) : setSure(true))}
          >
            {sure ? said.deleteSure : said.deleteGo}
          </Button>
        </>
      }
    >
      <p>{said.delete}</p>
      <Refused why={refused} />
    </Dialog>
  );
}

export function PriorityDialog({ of, now, most, onClose }: Props & { now: number; most: number }) {
  const [priority, setPriority] = useState(String(now));
  const { busy, refused, go } = useGo(onClose);
  const every = Array.from({ length: most }, (_, n) => String(n + 1));
  return (
    <Dialog
      title={said.priorityTitle}
      onClose={onClose}
      acts={
        <>
          <Button onPress={onClose}>{said.close}</Button>
          <Button
            look="pri"
            busy={busy}
            onPress={() => void go(() => act("jobs.set_priority", { ...of, priority: Number(priority) }))}
          >
            {said.priorityGo}
          </Button>
        </>
      }
    >
      <p>{said.priority}</p>
      <Segments
        label={said.priorityTitle}
        options={every.map((n) => [n, n] as const)}
        value={priority}
        onChange={setPriority}
      />
      <Refused why={refused} />
    </Dialog>
  );
}
