/** What is still wrong, each leading to its field, and what creates the job. */
import { Icon } from "../../parts/Icon";
import { Button } from "../../parts/Button";
import * as text from "../../text";
import { Faults } from "./Faults";
import type { Form } from "./useForm";

const said = text.newJob;

interface Props {
  form: Form;
  /** Why it may not be sent. */
  off: string | null;
  busy: boolean;
  /** What the server has refused as a whole. */
  refused: string | null;
  /** Whether only a schema checks it. */
  bySchema: boolean;
  onSend: () => void;
  onNext: () => void;
  onCopy: (as: "python" | "command") => void;
}

export function Send({ form, off, busy, refused, bySchema, onSend, onNext, onCopy }: Props) {
  const unread = form.told.find((fault) => fault.place.length === 0)?.message ?? null;
  return (
    <Faults form={form} fine={said.fine} onNext={onNext}>
      {refused && (
        <div className="sec">
          <p className="failed" role="alert">
            {refused}
          </p>
        </div>
      )}
      <div className="acts">
        <Button look="pri" icon="plus" off={off} busy={busy} onPress={onSend}>
          {said.create}
        </Button>
        <Button icon="code" off={unread} onPress={() => onCopy("python")}>
          {said.asPython}
        </Button>
        <Button icon="code" off={unread} onPress={() => onCopy("command")}>
          {said.asCommand}
        </Button>
        <kbd className="end">{"⌘ ↵"}</kbd>
      </div>
      {bySchema && (
        <div className="foot">
          <Icon name="info" />
          <span className="note">
            {said.checkedBy}
            <span className="mono">{said.malformed}</span>
            {"."}
          </span>
        </div>
      )}
    </Faults>
  );
}
