/** What is still wrong, each leading to its field, and what creates the job. */
import { Icon } from "../../parts/Icon";
import { Button } from "../../parts/Button";
import * as text from "../../text";
import { keyOf, nameOf } from "./places";
import { focusOn, type Form } from "./useForm";

const said = text.newJob;
/** So many are listed. */
const MOST = 12;

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
  const bad = form.told.length > 0;
  const unread = form.told.find((fault) => fault.place.length === 0)?.message ?? null;
  return (
    <section className="card preview send">
      <header className={bad ? "failed" : ""}>
        {bad && <Icon name="x" size={14} />}
        <h2>{bad ? said.look(form.told.length) : form.faults.length ? said.toFill(form.faults.length) : said.fine}</h2>
        {bad && (
          <span className="more">
            <kbd>{"F8"}</kbd>
            <button type="button" className="plain" onClick={onNext}>
              {said.next}
            </button>
          </span>
        )}
      </header>
      {bad && (
        <div className="sec first">
          {form.told.slice(0, MOST).map((fault) => (
            <button type="button" className="row plain" key={keyOf(fault.place)} onClick={() => focusOn(fault.place)}>
              <bdi className="mono">{nameOf(fault.place) || said.whole}</bdi>
              <span className="failed">{fault.message}</span>
            </button>
          ))}
        </div>
      )}
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
    </section>
  );
}
