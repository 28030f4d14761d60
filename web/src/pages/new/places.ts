/** Values at places within params, and where a place stands in their text. */
import { writeJson } from "../../exact";
import type { Json, Place } from "./schema";

export const keyOf = (place: Place) => JSON.stringify(place);

/** ["lines", 1, "quantity"] → "lines[1].quantity" */
export function nameOf(place: Place): string {
  return place.map((part, n) => (typeof part === "number" ? `[${part}]` : n ? `.${part}` : part)).join("");
}

export function valueAt(value: Json, place: Place): Json | undefined {
  let at: Json | undefined = value;
  for (const part of place) {
    if (at === null || typeof at !== "object") return undefined;
    at = Array.isArray(at) ? at[Number(part)] : Object.hasOwn(at, part) ? at[part] : undefined;
  }
  return at;
}

/** The value with another one at a place; undefined takes away what stands there. */
export function withValue(value: Json, place: Place, next: Json | undefined): Json {
  const [first, ...rest] = place;
  if (first === undefined) return next ?? null;
  if (typeof first === "number") {
    const items = Array.isArray(value) ? [...value] : [];
    if (!rest.length && next === undefined) items.splice(first, 1);
    else items[first] = withValue(items[first] ?? null, rest, next);
    return items;
  }
  const members = value !== null && typeof value === "object" && !Array.isArray(value) ? { ...value } : {};
  if (!rest.length && next === undefined) delete members[first];
  else members[first] = withValue(members[first] ?? null, rest, next);
  return members;
}

export interface Line {
  text: string;
  /** The innermost place that begins on this line. */
  place: Place;
}

/** A short object or list stands on one line. */
const SHORT = 56;

/** JSON in lines, each with what stands there, so that a fault is told at its line. */
export function linesOf(value: Json, place: Place = [], indent = "", name = "", comma = ""): Line[] {
  const head = indent + (name ? `${JSON.stringify(name)}: ` : "");
  const whole = writeJson(value);
  const nested = value !== null && typeof value === "object";
  const flat =
    nested &&
    place.length > 0 &&
    whole.length <= SHORT &&
    inner(value).every((one) => one === null || typeof one !== "object");
  if (!nested || flat || inner(value).length === 0)
    return [{ text: head + (flat ? spaced(value) : whole) + comma, place }];
  const list = Array.isArray(value);
  const parts = list
    ? value.map((one, n) => ["", one, n] as const)
    : Object.entries(value).map(([key, one]) => [key, one, key] as const);
  return [
    { text: `${head}${list ? "[" : "{"}`, place },
    ...parts.flatMap(([key, one, at], n) =>
      linesOf(one, [...place, at], `${indent}  `, key, n < parts.length - 1 ? "," : ""),
    ),
    { text: `${indent}${list ? "]" : "}"}${comma}`, place: [] },
  ];
}

const inner = (value: Json): Json[] => (value !== null && typeof value === "object" ? Object.values(value) : []);
const spaced = (value: Json): string =>
  Array.isArray(value)
    ? `[${value.map((one) => writeJson(one)).join(", ")}]`
    : `{${Object.entries(value as object)
        .map(([name, one]) => `${JSON.stringify(name)}: ${writeJson(one)}`)
        .join(", ")}}`;

export const writtenOf = (value: Json) =>
  linesOf(value)
    .map((line) => line.text)
    .join("\n");

/** Whether a place lies at another one or within it. */
export const within = (inner: Place, outer: Place) => outer.every((part, n) => inner[n] === part);
