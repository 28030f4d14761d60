/** A card with what is still wrong in a form, each leading to its field; below that, what sends it. */
import type { ReactNode } from "react";
import { Icon } from "../../parts/Icon";
import * as text from "../../text";
import { keyOf, nameOf } from "./places";
import { focusOn, type Form } from "./useForm";

const said = text.newJob;
/** So many are listed. */
const MOST = 12;

interface Props {
  form: Form;
  /** What is said where nothing is wrong. */
  fine: string;
  onNext: () => void;
  children: ReactNode;
}

export function Faults({ form, fine, onNext, children }: Props) {
  const bad = form.told.length > 0;
  return (
    <section className="card preview send">
      <header className={bad ? "failed" : ""}>
        {bad && <Icon name="x" size={14} />}
        <h2>{bad ? said.look(form.told.length) : form.faults.length ? said.toFill(form.faults.length) : fine}</h2>
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
      {children}
    </section>
  );
}
