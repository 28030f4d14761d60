/** Times as they are typed: `500ms`, `1 s`, `5m`. */
const units: readonly (readonly [name: string, seconds: number])[] = [
  ["d", 86_400],
  ["h", 3_600],
  ["m", 60],
  ["s", 1],
  ["ms", 0.001],
];
const LEAST = 0.01;
const MOST = 31 * 86_400;

/** Seconds, as short as they can be typed: 300 is `5m`. */
export function typed(seconds: number): string {
  const [name, size] = units.find(
    ([, one]) => seconds >= one && Math.abs(seconds / one - Math.round(seconds / one)) < 1e-9,
  ) ?? ["s", 1];
  return `${Number((seconds / size).toFixed(3))}${name}`;
}

/** The seconds that a text stands for; null where it is none that a limiter takes. */
export function read(text: string): number | null {
  const found = /^(\d{1,9}(?:\.\d{1,6})?)\s*(ms|s|m|h|d)?$/.exec(text.trim());
  if (!found) return null;
  const size = units.find(([name]) => name === (found[2] ?? "s"))?.[1] ?? 1;
  const seconds = Number(found[1]) * size;
  return seconds >= LEAST && seconds <= MOST ? seconds : null;
}

/** A whole number of tokens or slots; null where it is none. */
export function whole(text: string): number | null {
  const said = text.replace(/[\s,]/g, "");
  return /^\d{1,7}$/.test(said) && Number(said) >= 1 && Number(said) <= 1_000_000 ? Number(said) : null;
}
