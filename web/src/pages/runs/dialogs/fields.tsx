/** Fields of the dialogs of runs and schedules. */
import { useId, type ReactNode } from "react";
import { Icon } from "../../../parts/Icon";
import * as text from "../../../text";

export function Wrong({ what }: { what: string | null }) {
  return what === null ? null : (
    <p className="fault" role="alert">
      <Icon name="warning" />
      <bdi>{what}</bdi>
    </p>
  );
}

interface Common {
  label: string;
  type?: string;
  help?: ReactNode;
  value: string;
  onChange: (value: string) => void;
}

export function TextField({ label, type, help, value, onChange }: Common) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>
        {label} {type && <span className="ty">{type}</span>}
      </label>
      <input id={id} type="text" className="inp" value={value} onChange={(event) => onChange(event.target.value)} />
      {help && <p className="help">{help}</p>}
    </div>
  );
}

export function Choice({
  label,
  help,
  value,
  onChange,
  options,
}: Common & { options: readonly (readonly [string, string])[] }) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <select id={id} className="inp" value={value} onChange={(event) => onChange(event.target.value)}>
        {options.map(([one, told]) => (
          <option key={one} value={one}>
            {told}
          </option>
        ))}
      </select>
      {help && <p className="help">{help}</p>}
    </div>
  );
}

/** A value as JSON; what cannot be read says why. */
export function JsonField({ label, value, onChange }: Common) {
  const id = useId();
  const wrong = whyNoJson(value);
  return (
    <div className="field">
      <label htmlFor={id}>
        {label} <span className="ty">{text.run.json.type}</span>
      </label>
      <textarea
        id={id}
        className={`inp ${wrong === null ? "" : "bad"}`}
        rows={Math.min(14, Math.max(3, value.split("\n").length))}
        spellCheck={false}
        value={value}
        aria-invalid={wrong !== null}
        onChange={(event) => onChange(event.target.value)}
      />
      <Wrong what={wrong === null ? null : text.run.json.wrong(wrong)} />
    </div>
  );
}

export function whyNoJson(value: string): string | null {
  try {
    JSON.parse(value);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
