/** What has parts: an object in a frame, a list in rows; deeper ones are folded at first. */
import { useId, useState, type CSSProperties, type ReactNode } from "react";
import { Button } from "../../parts/Button";
import * as text from "../../text";
import { FaultLine } from "./FieldBox";
import { Fields } from "./Fields";
import { Input } from "./Input";
import { keyOf } from "./places";
import { isTags, isWide, startOf, startOfAll, type Field, type Json, type Place } from "./schema";
import type { Form } from "./useForm";

const said = text.newJob;
/** So deep frames are open at first. */
const OPEN = 2;

interface Props {
  field: Field;
  place: Place;
  form: Form;
  depth: number;
}

export function Nested(props: Props) {
  const { field, place, form } = props;
  const value = form.at(place);
  const there = value !== undefined && value !== null;
  const count = Array.isArray(value) ? sizeOf(field, value.length) : null;
  const give = () => form.set(place, field.kind === "list" ? [] : startOfAll(field.fields));
  const leave = () => form.set(place, field.nullable ? null : undefined);
  return (
    <Frame {...props} chip={count}>
      {!there ? (
        <div className="gap">
          <Button look="small" icon="plus" onPress={give}>
            {said.give}
          </Button>
          <span className="dim">{value === null ? said.none : said.left}</span>
        </div>
      ) : (
        <>
          {field.kind === "list" ? (
            <Items {...props} items={Array.isArray(value) ? value : []} />
          ) : (
            <Fields fields={field.fields} place={place} form={form} depth={props.depth + 1} />
          )}
          {(!field.required || field.nullable) && (
            <div className="gap">
              <Button look="quiet small" onPress={leave}>
                {said.leaveOut}
              </Button>
            </div>
          )}
        </>
      )}
    </Frame>
  );
}

function sizeOf(field: Field, n: number): string {
  return said.sizeOf(n, Number(field.schema["minItems"] ?? 0), Number(field.schema["maxItems"] ?? Infinity));
}

function Frame({ field, place, form, depth, chip, children }: Props & { chip: string | null; children: ReactNode }) {
  const inner = form.told.some((fault) => keyOf(fault.place).startsWith(keyOf(place).slice(0, -1)));
  const [open, setOpen] = useState(depth < OPEN);
  const id = useId();
  const fault = form.faultAt(place);
  const isOpen = open || inner;
  return (
    <fieldset className={`nestf ${depth % 2 ? "" : "open"}`} aria-labelledby={id}>
      <header>
        <Button
          look="quiet small"
          icon={isOpen ? "down" : "right"}
          label={isOpen ? said.fold(field.name) : said.unfold(field.name)}
          expanded={isOpen}
          onPress={() => setOpen(!isOpen)}
        />
        <bdi id={id} tabIndex={-1} data-place={keyOf(place)}>
          {field.name}
        </bdi>
        {chip !== null && <span className="chip">{chip}</span>}
        {(!field.required || field.nullable) && <span className="dim opt">{said.optional}</span>}
        <span className="ty">{field.type}</span>
      </header>
      {isOpen && (
        <div className="in">
          {fault && <FaultLine message={fault.message} />}
          {field.help && (
            <span className="help">
              <bdi>{field.help}</bdi>
            </span>
          )}
          {children}
        </div>
      )}
    </fieldset>
  );
}

/** Whether the items of a list fit on a line each: objects of a few simple fields, or simple values. */
const isFlat = (item: Field) =>
  item.kind === "object"
    ? item.fields.length <= 4 && item.fields.every((one) => !isWide(one) && !isTags(one))
    : !isWide(item) && item.kind !== "list";

function Items({ field, place, form, depth, items }: Props & { items: readonly Json[] }) {
  const item = field.item!;
  const flat = isFlat(item);
  const columns = item.kind === "object" ? item.fields : [item];
  const what = item.kind === "object" && item.type !== "dict" ? item.type.toLowerCase() : said.line;
  const move = (n: number) => {
    const next = [...items];
    [next[n - 1], next[n]] = [next[n]!, next[n - 1]!];
    form.set(place, next);
  };
  const template = { "--columns": `22px ${columns.map(widthOf).join(" ")} 64px` } as CSSProperties;
  return (
    <>
      {flat && items.length > 0 && item.kind === "object" && (
        <div className="item heads" style={template} aria-hidden="true">
          <span />
          {columns.map((one) => (
            <span key={one.name} className={isNumber(one) ? "num" : ""}>
              {`${one.name} · ${one.type}`}
            </span>
          ))}
          <span />
        </div>
      )}
      {items.map((_, n) => {
        const at = [...place, n];
        const tools = (
          <span className="tools">
            <Button
              look="quiet"
              icon="up"
              label={said.up(what, n + 1)}
              off={n === 0 ? said.up(what, n + 1) : null}
              onPress={() => move(n)}
            />
            <Button look="quiet" icon="bin" label={said.remove(what, n + 1)} onPress={() => form.set(at, undefined)} />
          </span>
        );
        if (!flat)
          return (
            <div className="block" key={n}>
              <div className="gap">
                <span className="dim">{said.item(what, n + 1)}</span>
                {tools}
              </div>
              {item.kind === "object" ? (
                <Fields fields={item.fields} place={at} form={form} depth={depth + 1} />
              ) : (
                <Input id={keyOf(at)} field={item} place={at} form={form} label={said.item(what, n + 1)} />
              )}
            </div>
          );
        return (
          <div className="item" style={template} key={n}>
            <span className="n">{n + 1}</span>
            {columns.map((one) => {
              const cell = item.kind === "object" ? [...at, one.name] : at;
              return (
                <Input
                  key={one.name}
                  id={keyOf(cell)}
                  field={one}
                  place={cell}
                  form={form}
                  label={`${one.name || field.name} ${n + 1}`}
                />
              );
            })}
            {tools}
            {faultsIn(form, at).map(([name, message]) => (
              <FaultLine key={name} message={`${name} ${message}`} />
            ))}
          </div>
        );
      })}
      <div className="gap">
        <Button look="small" icon="plus" onPress={() => form.set(place, [...items, startOf(item) ?? null])}>
          {said.add(what)}
        </Button>
      </div>
    </>
  );
}

const isNumber = (field: Field) => field.kind === "integer" || field.kind === "number" || field.format === "decimal";
const widthOf = (field: Field) => (isNumber(field) ? "minmax(74px, 112px)" : "minmax(0, 1.5fr)");

function faultsIn(form: Form, at: Place): [string, string][] {
  const prefix = keyOf(at).slice(0, -1);
  return form.told
    .filter((fault) => keyOf(fault.place).startsWith(prefix))
    .map((fault) => [String(fault.place.at(-1)), fault.message]);
}
