/** A value in a line or a few: what is long is shown in part, with the way to all of it. */
import { Json } from "../../parts/Json";

/** So many characters of a text are shown in a table. */
const LONGEST = 600;

export function Value({ value }: { value: unknown }) {
  const short = typeof value === "string" && value.length > LONGEST ? `${value.slice(0, LONGEST)}…` : value;
  return <Json value={short} lines={false} />;
}

export const isLong = (value: unknown) =>
  typeof value === "string" ? value.length > LONGEST : (JSON.stringify(value)?.length ?? 0) > 4 * LONGEST;
