/** What the six figures of a board say, from the history of its flow. */
import type { FlowHistory, Live, QueueView } from "@typed-flows/react";
import { msOf } from "../../format";

type History = Live<FlowHistory>;
export type Window = "15m" | "1h" | "6h" | "24h" | "7d";
export const windows: readonly Window[] = ["15m", "1h", "6h", "24h", "7d"];

/** When each step began, ms since 1970. */
export const timesOf = (history: History) => history.came.map((_, i) => msOf(history.first) + i * history.step * 1000);

/** How many steps of the window, from its beginning, nothing is known of. */
export function unknownSteps(history: History): number {
  if (history.known == null) return history.came.length - 1;
  return Math.max(0, Math.round((msOf(history.known) - msOf(history.first)) / (history.step * 1000)));
}

/** Values of the steps that are known and over: the present one would look like a fall. */
export const over = <T>(history: History, values: readonly T[]): T[] => values.slice(unknownSteps(history), -1);

/** As `over`, a minute. */
export const perMinute = (history: History, values: readonly number[]) =>
  over(history, values).map((value) => (value * 60) / history.step);

export interface Pace {
  now: number | null;
  /** By which part it is more than in the window before; null where that is not known. */
  change: number | null;
}

/** How many a minute in the steps that are over, against the window before. */
export function pace(history: History, values: readonly number[], before: number | undefined): Pace {
  const known = perMinute(history, values);
  const now = known.length ? sum(known) / known.length : null;
  const earlier = minutesBefore(history);
  if (now == null || before === undefined || !earlier || !before) return { now, change: null };
  return { now, change: now / (before / earlier) - 1 };
}

/** Of how many minutes before the window anything is known. */
export function minutesBefore(history: History): number {
  if (history.known == null) return 0;
  const whole = (history.came.length * history.step) / 60;
  return Math.min(whole, Math.max(0, (msOf(history.first) - msOf(history.known)) / 60_000));
}

export const sum = (values: readonly number[]) => values.reduce((all, one) => all + one, 0);

/** The queue whose next job has waited longest. */
export function oldest(queues: readonly Live<QueueView>[]): Live<QueueView> | null {
  return queues.reduce<Live<QueueView> | null>(
    (found, one) => ((one.oldest ?? -1) > (found?.oldest ?? -1) ? one : found),
    null,
  );
}
