/** The fields of an object: simple ones two in a row, what has parts in frames of their own. */
import { Fragment } from "react";
import { FieldBox } from "./FieldBox";
import { Nested } from "./Nested";
import { keyOf } from "./places";
import type { Field, Place } from "./schema";
import type { Form } from "./useForm";

export const isWide = (field: Field) =>
  field.kind === "object" ||
  field.kind === "long" ||
  field.kind === "json" ||
  (field.kind === "list" && !isTags(field));

/** A list of texts is written as tags. */
export const isTags = (field: Field) => field.kind === "list" && field.item?.kind === "text" && !field.item.nullable;

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
