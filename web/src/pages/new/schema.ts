/** What a form needs of a JSON schema: the fields of an object, each with its kind, its bounds and its words. */

export type Json = null | boolean | number | bigint | string | Json[] | { [name: string]: Json };
export type Schema = { readonly [keyword: string]: unknown };
/** Names of members and numbers of items, from the outside in. */
export type Place = readonly (string | number)[];

export type Kind = "text" | "long" | "number" | "integer" | "boolean" | "choice" | "object" | "list" | "json";

export interface Field {
  /** "" for items of a list. */
  name: string;
  kind: Kind;
  /** As it is told beside the label: "str", "list[Line]", "str | None". */
  type: string;
  help: string;
  required: boolean;
  /** Whether null is a value of it. */
  nullable: boolean;
  /** What it is where nothing is given; undefined: that is not known. */
  fallback: Json | undefined;
  schema: Schema;
  /** "date", "date-time", "email", … */
  format: string;
  choices: readonly Json[];
  fields: readonly Field[];
  /** Of a list, what its items are. */
  item: Field | null;
}

/** Deeper, a schema may contain itself: it is then written as JSON. */
const DEEPEST = 6;
const LONG_TEXT = 500;

export function fieldsOf(root: Schema): Field[] {
  return members(root, root, 0);
}

/** Schemas come with their members by name; required ones stand in the order of the class, and come first. */
function members(schema: Schema, root: Schema, depth: number): Field[] {
  const required = Array.isArray(schema["required"]) ? (schema["required"] as string[]) : [];
  const fields = Object.entries(asObject(schema["properties"])).map(([name, part]) =>
    fieldOf(name, asObject(part), root, required.includes(name), depth),
  );
  const rank = (field: Field) =>
    (field.required ? 0 : 2 * required.length) +
    (isWide(field) ? required.length : 0) +
    (field.required ? required.indexOf(field.name) / required.length : 0);
  return fields.sort((a, b) => rank(a) - rank(b));
}

/** Whether a field takes a row of its own. */
export const isWide = (field: Field) =>
  field.kind === "object" ||
  field.kind === "long" ||
  field.kind === "json" ||
  (field.kind === "list" && !isTags(field));

/** A list of texts is written as tags. */
export const isTags = (field: Field) => field.kind === "list" && field.item?.kind === "text" && !field.item.nullable;

export function fieldOf(name: string, given: Schema, root: Schema, required: boolean, depth = 0): Field {
  const { schema, nullable } = plain(given, root);
  const type = schema["type"];
  const kind = kindOf(schema, depth);
  const items = kind === "list" ? fieldOf("", asObject(schema["items"]), root, true, depth + 1) : null;
  const choices =
    schema["const"] !== undefined ? [schema["const"] as Json] : ((schema["enum"] as Json[] | undefined) ?? []);
  return {
    name,
    kind,
    type: typeOf(schema, type, items, choices) + (nullable ? " | None" : ""),
    help: String(given["description"] ?? schema["description"] ?? ""),
    required,
    nullable,
    fallback: given["default"] as Json | undefined,
    schema,
    format: String(schema["format"] ?? ""),
    choices,
    fields: kind === "object" ? members(schema, root, depth + 1) : [],
    item: items,
  };
}

/** Follows references, and takes null out of the alternatives: what is left is one schema, or several as they are. */
function plain(given: Schema, root: Schema): { schema: Schema; nullable: boolean } {
  let schema = given;
  let nullable = false;
  for (let n = 0; n < 2 * DEEPEST; n++) {
    const ref = schema["$ref"];
    const all = schema["allOf"];
    const any = (schema["anyOf"] ?? schema["oneOf"]) as unknown;
    if (typeof ref === "string") schema = { ...resolved(ref, root), ...without(schema, "$ref") };
    else if (Array.isArray(all) && all.length === 1) schema = { ...asObject(all[0]), ...without(schema, "allOf") };
    else if (Array.isArray(any)) {
      const some = any.map(asObject).filter((one) => one["type"] !== "null");
      nullable ||= some.length < any.length;
      const [only, ...more] = simplest(some);
      if (!only || more.length) return { schema, nullable };
      schema = { ...only, ...without(schema, "anyOf", "oneOf") };
    } else break;
  }
  const types = schema["type"];
  if (Array.isArray(types)) {
    const some = types.filter((one) => one !== "null");
    nullable ||= some.length < types.length;
    if (some.length === 1) schema = { ...schema, type: some[0] };
  }
  return { schema, nullable };
}

/** A decimal number may be a number or a text of one: it is written as a text, which keeps all its digits. */
function simplest(some: readonly Schema[]): readonly Schema[] {
  const texts = some.filter((one) => one["type"] === "string");
  const numbers = some.filter((one) => one["type"] === "number");
  if (texts.length === 1 && numbers.length === 1 && some.length === 2) return [{ ...texts[0], format: "decimal" }];
  return some;
}

function kindOf(schema: Schema, depth: number): Kind {
  if (schema["enum"] !== undefined || schema["const"] !== undefined) return "choice";
  if (schema["anyOf"] || schema["oneOf"] || schema["allOf"]) return "json";
  switch (schema["type"]) {
    case "string":
      return Number(schema["maxLength"] ?? 0) > LONG_TEXT ? "long" : "text";
    case "integer":
    case "number":
    case "boolean":
      return schema["type"];
    case "array":
      return depth < DEEPEST && schema["items"] && !schema["prefixItems"] ? "list" : "json";
    case "object":
      return depth < DEEPEST && schema["properties"] ? "object" : "json";
    default:
      return "json";
  }
}

const WORDS: Readonly<Record<string, string>> = { string: "str", integer: "int", number: "float", boolean: "bool" };
const FORMATS: Readonly<Record<string, string>> = {
  date: "date",
  "date-time": "datetime",
  time: "time",
  uuid: "UUID",
  email: "email",
  uri: "URL",
  duration: "timedelta",
  decimal: "Decimal",
};
const MOST_CHOICES = 5;

function typeOf(schema: Schema, type: unknown, item: Field | null, choices: readonly Json[]): string {
  if (choices.length)
    return choices.length <= MOST_CHOICES ? `enum: ${choices.map(String).join(", ")}` : `enum of ${choices.length}`;
  if (item) return `list[${item.type || "Any"}]`;
  if (type === "object") return schema["properties"] ? String(schema["title"] ?? "dict") : "dict";
  if (type === "array") return "list";
  const format = FORMATS[String(schema["format"] ?? "")];
  const word = format ?? WORDS[String(type)] ?? "Any";
  const bounds = boundsOf(schema);
  return bounds ? `${word} ${bounds}` : word;
}

function boundsOf(schema: Schema): string {
  const low = schema["minimum"] ?? schema["minLength"];
  const high = schema["maximum"] ?? schema["maxLength"];
  const over = schema["exclusiveMinimum"];
  const under = schema["exclusiveMaximum"];
  if (low !== undefined && high !== undefined) return `· ${low} to ${high}`;
  if (low !== undefined) return `≥ ${low}`;
  if (over !== undefined) return `> ${over}`;
  if (high !== undefined) return schema["maxLength"] === undefined ? `≤ ${high}` : `· up to ${high}`;
  return under === undefined ? "" : `< ${under}`;
}

const asObject = (value: unknown): Schema =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Schema) : {};

function resolved(ref: string, root: Schema): Schema {
  let at: unknown = root;
  for (const part of ref.replace(/^#\//, "").split("/"))
    at = asObject(at)[decodeURIComponent(part).replaceAll("~1", "/").replaceAll("~0", "~")];
  return asObject(at);
}

function without(schema: Schema, ...keywords: string[]): Schema {
  return Object.fromEntries(Object.entries(schema).filter(([keyword]) => !keywords.includes(keyword)));
}

/** What a field begins with: its default, or what is empty of its kind; undefined: it is left out. */
export function startOf(field: Field): Json | undefined {
  if (field.fallback !== undefined) return field.fallback;
  if (!field.required) return undefined;
  if (field.nullable) return null;
  switch (field.kind) {
    case "object":
      return startOfAll(field.fields);
    case "list":
      return Number(field.schema["minItems"] ?? 0) > 0 && field.item ? [startOf(field.item) ?? null] : [];
    case "boolean":
      return false;
    case "choice":
      return field.choices[0] ?? null;
    case "text":
    case "long":
      return "";
    default:
      return null;
  }
}

/** What an object of fields begins with; what the code of the flow fills in by itself is left out. */
export function startOfAll(fields: readonly Field[]): { [name: string]: Json } {
  const known = fields.map((field) => [field.name, startOf(field)] as const);
  return Object.fromEntries(known.filter((pair): pair is [string, Json] => pair[1] !== undefined));
}
