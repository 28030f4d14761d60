/** JSON that keeps its numbers: an integer that a JavaScript number would round is read as a bigint, and written so. */
import { parts } from "./text/en/parts";

/** Stands before the digits of a large integer while they pass through `JSON`; no other text begins so. */
const MARK = `integer ${Math.random()} `;
const PARTS = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
const MARKED = new RegExp(`"${MARK.replace(".", "\\.")}(-?\\d+)"`, "g");

/** An integer as it is written; a bigint where a number would round it. */
export function integerOf(digits: string): number | bigint {
  const number = Number(digits);
  return Number.isSafeInteger(number) ? number : BigInt(digits);
}

/** As JSON.parse, without a change to an integer; raises SyntaxError, also for a number that is beyond all numbers. */
export function readJson(json: string): unknown {
  const plain: unknown = JSON.parse(json);
  if (!/\d{16}|[eE]\+?\d{3}/.test(json)) return plain;
  const marked = json.replace(PARTS, (part) => {
    if (part.startsWith('"')) return part;
    if (!Number.isFinite(Number(part))) throw new SyntaxError(parts.tooLarge(part));
    return /^-?\d+$/.test(part) && !Number.isSafeInteger(Number(part)) ? `"${MARK}${part}"` : part;
  });
  return JSON.parse(marked, (_, value: unknown) =>
    typeof value === "string" && value.startsWith(MARK) ? BigInt(value.slice(MARK.length)) : value,
  );
}

/** As JSON.stringify, with each digit of a large integer; what is undefined is null. */
export function writeJson(value: unknown, indent?: number): string {
  const json = JSON.stringify(value, (_, one: unknown) => (typeof one === "bigint" ? `${MARK}${one}` : one), indent);
  return (json ?? "null").replace(MARKED, "$1");
}
