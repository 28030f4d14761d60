/** A value in a line or a few: what is long is shown in part, with the way to all of it beside it. */
import { writeJson } from "../../exact";
import { Json } from "../../parts/Json";
import * as text from "../../text";

/** So many characters of a text, or of what has members, are shown in a table. */
const LONGEST = 600;
const MOST_MEMBERS = 12;

export function Value({ value }: { value: unknown }) {
  return <Json value={isLong(value) ? shortened(value) : value} lines={false} />;
}

export const isLong = (value: unknown) =>
  typeof value === "string" ? value.length > LONGEST : writeJson(value).length > LONGEST;

function shortened(value: unknown): unknown {
  if (typeof value === "string") return value.length > LONGEST ? `${value.slice(0, LONGEST)}…` : value;
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value))
    return [...value.slice(0, MOST_MEMBERS).map(brief), ...(value.length > MOST_MEMBERS ? ["…"] : [])];
  const members = Object.entries(value);
  const first = members.slice(0, MOST_MEMBERS).map(([name, one]) => [name.slice(0, 100), brief(one)]);
  return {
    ...Object.fromEntries(first),
    ...(members.length > MOST_MEMBERS ? { "…": text.job.fields.members(members.length) } : {}),
  };
}

/** A member of a long value: a word, or that there is something. */
function brief(value: unknown): unknown {
  if (typeof value === "string") return value.length > 60 ? `${value.slice(0, 60)}…` : value;
  if (typeof value !== "object" || value === null) return value;
  return writeJson(value).length <= 60 ? value : Array.isArray(value) ? ["…"] : { "…": "…" };
}
