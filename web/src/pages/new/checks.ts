/** What is wrong with params by their schema, told while they are written; the server checks them again. */
import * as text from "../../text";
import type { Field, Json, Place } from "./schema";

export interface Fault {
  place: Place;
  message: string;
}

const said = text.newJob.faults;

export function faultsOf(fields: readonly Field[], value: { [name: string]: Json }): Fault[] {
  return inObject(fields, value, []);
}

function inObject(fields: readonly Field[], value: { [name: string]: Json }, at: Place): Fault[] {
  const names = new Set(fields.map((field) => field.name));
  const unknown = Object.keys(value)
    .filter((name) => !names.has(name))
    .map((name) => ({ place: [...at, name], message: said.unknown }));
  const known = fields.flatMap((field) => {
    const place = [...at, field.name];
    if (Object.hasOwn(value, field.name)) return inField(field, value[field.name]!, place);
    return field.required && field.fallback === undefined ? [{ place, message: said.missing }] : [];
  });
  return [...known, ...unknown];
}

function inField(field: Field, value: Json, place: Place): Fault[] {
  if (value === null) return field.nullable || field.kind === "json" ? [] : [{ place, message: said.needed }];
  switch (field.kind) {
    case "object":
      if (typeof value !== "object" || Array.isArray(value)) return [{ place, message: said.type(field.type) }];
      return inObject(field.fields, value, place);
    case "list":
      if (!Array.isArray(value)) return [{ place, message: said.type(field.type) }];
      return [...sized(field, value, place), ...value.flatMap((one, n) => inField(field.item!, one, [...place, n]))];
    case "json":
      return [];
    default: {
      const message = wrong(field, value);
      return message ? [{ place, message }] : [];
    }
  }
}

function sized({ schema }: Field, items: readonly Json[], place: Place): Fault[] {
  const least = Number(schema["minItems"] ?? 0);
  const most = Number(schema["maxItems"] ?? Infinity);
  if (items.length < least) return [{ place, message: said.minItems(least) }];
  return items.length > most ? [{ place, message: said.maxItems(most) }] : [];
}

function wrong(field: Field, value: Json): string | null {
  const { kind, schema } = field;
  if (kind === "choice") return field.choices.some((one) => one === value) ? null : said.choice;
  if (kind === "boolean") return typeof value === "boolean" ? null : said.type(field.type);
  if (kind === "number" || kind === "integer") {
    if (typeof value === "bigint") return outside(schema, value);
    if (typeof value !== "number") return value === "" ? said.needed : said.number;
    if (kind === "integer" && !Number.isInteger(value)) return said.integer;
    return outside(schema, value);
  }
  if (typeof value !== "string")
    return field.format === "decimal" && (typeof value === "number" || typeof value === "bigint")
      ? null
      : said.type(field.type);
  const length = [...value].length;
  if (length < Number(schema["minLength"] ?? 0))
    return length ? said.minLength(Number(schema["minLength"])) : said.needed;
  if (length > Number(schema["maxLength"] ?? Infinity)) return said.maxLength(Number(schema["maxLength"]));
  if (field.format && FORMATS[field.format]?.test(value) === false)
    return said.formats[field.format] ?? said.format(field.format);
  const pattern = schema["pattern"];
  if (typeof pattern === "string" && !matches(pattern, value))
    return field.format === "decimal" ? said.number : said.pattern(pattern);
  return null;
}

/** The same as in `said.formats`; a text that fits may be refused by the server still. */
const FORMATS: Readonly<Record<string, RegExp>> = {
  email: /@/,
  date: /^\d{4}-\d\d-\d\d$/,
  "date-time": /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d/,
  uuid: /^[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}$/i,
  uri: /^[a-z][a-z0-9+.-]*:/i,
};

function outside(schema: { readonly [keyword: string]: unknown }, value: number | bigint): string | null {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = schema as Record<string, number>;
  if (minimum !== undefined && value < minimum) return said.minimum(minimum, value);
  if (maximum !== undefined && value > maximum) return said.maximum(maximum, value);
  if (exclusiveMinimum !== undefined && value <= exclusiveMinimum) return said.over(exclusiveMinimum, value);
  if (exclusiveMaximum !== undefined && value >= exclusiveMaximum) return said.under(exclusiveMaximum, value);
  if (multipleOf && !isMultiple(value, multipleOf)) return said.multiple(multipleOf);
  return null;
}

const isMultiple = (value: number | bigint, of: number) =>
  typeof value === "number" ? Number.isInteger(value / of) : !Number.isInteger(Number(of)) || value % BigInt(of) === 0n;

/** Whether a text has a pattern; one that this browser cannot read is left to the server. */
function matches(pattern: string, value: string): boolean {
  try {
    return new RegExp(pattern, "u").test(value);
  } catch {
    return true;
  }
}
