/** What the last slots of schedules tell: pure. */
import type { Live, ScheduleView, SlotView } from "@typed-flows/react";

export type Slot = Live<SlotView>;
export type Schedule = Live<ScheduleView>;
/** How a slot is drawn. */
export type Fill = "done" | "late" | "failed" | "cancelled" | "now" | "gone" | "missed" | "skipped" | "off";

/** A run that began so many seconds behind its slot was made up. */
const LATE = 60;
/** A slot that nobody has fired for so many ms is one that nobody fires. */
const OVERDUE = 60_000;

export const isLate = (slot: Slot) => slot.word === "ran" && slot.late >= LATE;

export function fillOf(slot: Slot): Fill {
  switch (slot.word) {
    case "missed":
    case "due":
      return "missed";
    case "open":
    case "full":
    case "queue full":
      return "skipped";
    case "ran":
      break;
    default:
      return "off";
  }
  if (slot.status == null) return "gone";
  if (slot.status === "failed" || slot.status === "cancelled") return slot.status;
  if (slot.status !== "done") return "now";
  return isLate(slot) ? "late" : "done";
}

/** How high each slot is drawn, from 0 to 1: by how long its run took, beside the longest one. */
export function heights(slots: readonly Slot[]): number[] {
  const longest = Math.max(0, ...slots.map((slot) => slot.took ?? 0));
  return slots.map((slot) => (slot.took == null || longest === 0 ? 0.7 : 0.3 + 0.7 * Math.sqrt(slot.took / longest)));
}

export interface Counts {
  done: number;
  failed: number;
  missed: number;
  open: number;
  full: number;
}

export function countsOf(slots: readonly Slot[]): Counts {
  const of = (...words: Slot["word"][]) => slots.filter((slot) => words.includes(slot.word)).length;
  return {
    done: slots.filter((slot) => slot.status === "done" && slot.word === "ran").length,
    failed: slots.filter((slot) => slot.status === "failed" && slot.word === "ran").length,
    missed: of("missed"),
    open: of("open"),
    full: of("full", "queue full"),
  };
}

/** The middle one of how long its runs took, in seconds. */
export function usualTime(slots: readonly Slot[]): number | null {
  const took = slots.flatMap((slot) => (slot.took == null ? [] : [slot.took])).sort((a, b) => a - b);
  return took.length ? took[took.length >> 1]! : null;
}

export interface Alarm {
  schedule: Schedule;
  kind: "missed" | "due";
  missed: readonly Slot[];
  /** The slot that was made up after them. */
  madeUp: Slot | null;
}

/** What is wrong with a schedule: slots that were missed among the last ones, or one that nobody fires. */
export function alarmOf(schedule: Schedule, now: number): Alarm | null {
  const { slots } = schedule;
  const due = slots.filter((slot) => slot.word === "due" && now - Date.parse(slot.at) > OVERDUE);
  if (due.length && schedule.paused == null) return { schedule, kind: "due", missed: due, madeUp: null };
  const missed = slots.filter((slot) => slot.word === "missed");
  if (!missed.length) return null;
  const last = slots.lastIndexOf(missed.at(-1)!);
  return { schedule, kind: "missed", missed, madeUp: slots.slice(last + 1).find(isLate) ?? null };
}

/** Those that need a look come first, then by their next slot; those that are paused last. */
export function inOrder(schedules: readonly Schedule[], now: number): Schedule[] {
  const rank = (one: Schedule) => {
    if (alarmOf(one, now)) return 0;
    return one.paused == null ? (fillOf(one.slots.at(-1) ?? NONE) === "failed" ? 1 : 2) : 3;
  };
  const ranks = new Map(schedules.map((one) => [one, rank(one)]));
  const next = (one: Schedule) => (one.next == null ? Infinity : Date.parse(one.next));
  // Dense ones change places each second: within a rank the interval between slots decides, which stays.
  const pause = (one: Schedule) =>
    one.upcoming.length > 1 ? Date.parse(one.upcoming[1]!) - Date.parse(one.upcoming[0]!) : Infinity;
  return [...schedules].sort(
    (a, b) => ranks.get(a)! - ranks.get(b)! || pause(b) - pause(a) || next(a) - next(b) || a.id.localeCompare(b.id),
  );
}

const NONE = { word: "planned" } as Slot;
