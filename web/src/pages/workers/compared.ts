/** The difference of two figures in words. */
import { count, percent } from "../../format";
import * as text from "../../text";

export type Difference = { words: string; tone: "up" | "down" | "dim" } | null;

const ALIKE = 0.1;
/** What is so many times as much says nothing by its number. */
const FAR = 100;

/**
 * Says how much less or more something is now than it was; less is better. What differs by under a tenth, or by less
 * than `least`, is the same.
 */
export function compared(
  was: number | null | undefined,
  now: number | null | undefined,
  less: string,
  more: string,
  least: number,
): Difference {
  if (was == null || now == null) return null;
  if (Math.abs(now - was) <= least || Math.abs(now - was) < ALIKE * was)
    return { words: text.releases.same, tone: "dim" };
  const better = now < was;
  const [small, large] = better ? [now, was] : [was, now];
  const tone = better ? "up" : "down";
  const word = better ? less : more;
  if (small <= 0 || large / small >= FAR) return { words: text.releases.far(word), tone };
  if (large / small >= 2) return { words: text.releases.times(count(Math.round(large / small)), word), tone };
  return { words: text.releases.percent(percent((large - small) / was), word), tone };
}
