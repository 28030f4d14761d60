/** The fields of an object: simple ones two in a row, what has parts in frames of their own. */
import { Fragment } from "react";
import { FieldBox } from "./FieldBox";
import { Nested } from "./Nested";
import { keyOf } from "./places";
import { isTags, isWide, type Field, type Place } from "./schema";
import type { Form } from "./useForm";

interface Props {
  fields: readonly Field[];
  place: Place;
  form: Form;
  depth?: number;
}

export function Fields({ fields, place, form, depth = 0 }: Props) {
  const groups: Field[][] = [];
  for (const field of fields) {
    const last = groups.at(-1);
    if (!isWide(field) && last && !isWide(last[0]!)) last.push(field);
    else groups.push([field]);
  }
  return groups.map((group) => {
    const [first] = group as [Field];
    if (first.kind === "object" || (first.kind === "list" && !isTags(first)))
      return <Nested key={first.name} field={first} place={[...place, first.name]} form={form} depth={depth} />;
    return (
      <div className={isWide(first) ? "g1" : "g2"} key={first.name}>
        {group.map((field) => (
          <Fragment key={keyOf([...place, field.name])}>
            <FieldBox field={field} place={[...place, field.name]} form={form} />
          </Fragment>
        ))}
      </div>
    );
  });
}
