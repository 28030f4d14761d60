/** One field: its name, its type at the right, its input, its help, and what is wrong with it. */
import { useId } from "react";
import { Icon } from "../../parts/Icon";
import * as text from "../../text";
import { Input } from "./Input";
import type { Field, Place } from "./schema";
import type { Form } from "./useForm";

const said = text.newJob;

interface Props {
  field: Field;
  place: Place;
  form: Form;
}

export function FieldBox({ field, place, form }: Props) {
  const id = useId();
  const fault = form.faultAt(place);
  return (
    <div className="field">
      <label htmlFor={id}>
        <bdi>{field.name}</bdi>
        {(!field.required || field.nullable) && <span className="dim opt">{said.optional}</span>}
        <span className="ty">{field.type}</span>
      </label>
      <Input id={id} field={field} place={place} form={form} />
      {fault ? <FaultLine id={`${id}-fault`} message={fault.message} /> : <Help id={`${id}-help`} field={field} />}
    </div>
  );
}

export function FaultLine({ id, message }: { id?: string; message: string }) {
  return (
    <span className="fault" id={id}>
      <Icon name="x" size={12} />
      {message}
    </span>
  );
}

function Help({ id, field }: { id: string; field: Field }) {
  return field.help ? (
    <span className="help" id={id}>
      <bdi>{field.help}</bdi>
    </span>
  ) : null;
}
