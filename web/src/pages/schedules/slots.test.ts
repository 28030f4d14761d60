import { describe, expect, it } from "vitest";
import { alarmOf, countsOf, fillOf, heights, inOrder, usualTime, type Schedule, type Slot } from "./slots";

const T0 = Date.parse("2026-11-26T02:00:00Z");
const at = (minutes: number) => new Date(T0 + minutes * 60_000).toISOString();
const slot = (minutes: number, more: Partial<Slot> = {}): Slot =>
  ({ at: at(minutes), word: "ran", run: "r", status: "done", late: 0, took: 4, error_type: null, ...more }) as Slot;
const schedule = (id: string, slots: Slot[], more: Partial<Schedule> = {}): Schedule =>
  ({ id, slots, upcoming: [], paused: null, next: at(1000), ...more }) as unknown as Schedule;

describe("slots", () => {
  it("are drawn by what became of them", () => {
    const fills = [
      slot(0),
      slot(1, { late: 4320 }),
      slot(2, { status: "failed" }),
      slot(3, { status: "suspended", took: null }),
      slot(4, { status: null, took: null }),
      slot(5, { word: "missed", status: null }),
      slot(6, { word: "queue full", status: null }),
      slot(7, { word: "paused", status: null }),
    ];
    expect(fills.map(fillOf)).toEqual(["done", "late", "failed", "now", "gone", "missed", "skipped", "off"]);
    expect(countsOf(fills)).toEqual({ done: 2, failed: 1, missed: 1, open: 0, full: 1 });
    expect(usualTime(fills)).toBe(4);
    expect(usualTime([])).toBeNull();
  });

  it("are as high as their runs took long", () => {
    expect(heights([slot(0, { took: 0 }), slot(1, { took: 4 }), slot(2, { took: null })])).toEqual([0.3, 1, 0.7]);
    expect(heights([slot(0, { took: 0 })])).toEqual([0.7]);
  });

  it("that were missed are told with the one that was made up after them", () => {
    const missed = [slot(1, { word: "missed", status: null }), slot(2, { word: "missed", status: null })];
    const found = alarmOf(schedule("a", [slot(0), ...missed, slot(3, { late: 4320 }), slot(4)]), T0);
    expect(found).toMatchObject({ kind: "missed", missed, madeUp: { late: 4320 } });
    expect(alarmOf(schedule("a", [slot(0)]), T0)).toBeNull();
  });

  it("that nobody fires are told after a minute, and not of a schedule that is paused", () => {
    const due = [slot(0, { word: "due", status: null })];
    expect(alarmOf(schedule("a", due), T0 + 59_000)).toBeNull();
    expect(alarmOf(schedule("a", due), T0 + 61_000)?.kind).toBe("due");
    expect(alarmOf(schedule("a", due, { paused: at(0) }), T0 + 61_000)).toBeNull();
  });

  it("put what needs a look first, and what is paused last", () => {
    const all = [
      schedule("paused", [], { paused: at(0) }),
      schedule("well", [slot(0)]),
      schedule("failed", [slot(0, { status: "failed" })]),
      schedule("missed", [slot(0, { word: "missed" })]),
    ];
    expect(inOrder(all, T0).map((one) => one.id)).toEqual(["missed", "failed", "well", "paused"]);
  });
});
