/** The times that are written above the axis, as many as there is place for. */
import type { Folding } from "./folding";
import type { Visit } from "./bars";

export interface Tick {
  at: number;
  /** In percent of the axis. */
  left: number;
}

/** A label needs so much of the axis, and that of the end so much. */
const APART = 13;
const END = 26;

/** The begin, that of each visit, and the first instant behind each fold; the end stands at the right in any case. */
export function ticksOf(folding: Folding, visits: readonly Visit[]): Tick[] {
  const wanted = [folding.begin, ...visits.slice(1).map((one) => one.from), ...folding.folds.map((one) => one.to)];
  const ticks: Tick[] = [];
  for (const at of wanted) {
    const left = folding.place(at);
    if (left > 100 - END || ticks.some((one) => Math.abs(one.left - left) < APART)) continue;
    ticks.push({ at, left });
  }
  return ticks.sort((a, b) => a.left - b.left);
}
