import { expect, test } from "vitest";
import { lastedOf, spanOf, staysOf, type Told } from "./timeline";

const T0 = Date.UTC(2026, 10, 26, 16, 0, 0);
const at = (seconds: number) => new Date(T0 + seconds * 1000).toISOString();
const bars = (told: Told, now: number) =>
  staysOf(told, T0 + now * 1000).map(
    ({ queue, bars }) =>
      `${queue} ${bars.map((bar) => `${bar.kind} ${(bar.from - T0) / 1000}-${(bar.to - T0) / 1000}`).join(", ")}`,
  );

test("puts what is told of each queue one behind the other", () => {
  const path = [
    { queue: "check", waited: 1, ran: 2, children: null },
    { queue: "price", waited: 1, ran: 1, children: 3 },
  ];
  const told: Told = { state: "done", queue: "price", created: at(0), since: at(8), path };
  expect(bars(told, 100)).toEqual(["check w 0-1, ran 1-3", "price w 3-4, ran 4-5, kids 5-8"]);
  expect(spanOf(staysOf(told, T0))).toEqual({ from: T0, to: T0 + 8000 });
  expect(staysOf(told, T0).map(lastedOf)).toEqual([3000, 5000]);
});

test("puts failed attempts where they ended, and what is not told before the last one", () => {
  const attempts = [1, 2].map((attempt) => ({
    queue: "price",
    attempt,
    worker: "w",
    ended: at(attempt * 2),
    verb: "retry",
    error_type: "E",
    error_message: "m",
    reason: "",
  }));
  const path = [{ queue: "price", waited: 1, ran: 3, children: null }];
  const told: Told = { state: "failed", queue: "price", created: at(0), since: at(10), path, attempts };
  expect(bars(told, 100)).toEqual(["price w 0-1, failed 1-2, w 2-3, failed 3-4, w 4-9, failed 9-10"]);
});

test("lets what goes on reach until now", () => {
  const running: Told = {
    state: "processing",
    queue: "pack",
    created: at(0),
    since: at(4),
    path: [{ queue: "pack", waited: 4, ran: null, children: null }],
  };
  expect(bars(running, 6)).toEqual(["pack w 0-4, running 4-6"]);
  const waiting: Told = { state: "waiting", queue: "pack", created: at(0), since: at(0), path: [] };
  expect(bars(waiting, 6)).toEqual(["pack w 0-6"]);
  const parent: Told = {
    state: "children",
    queue: "pack",
    created: at(0),
    since: at(2),
    path: [{ queue: "pack", waited: 1, ran: 1, children: null }],
  };
  expect(bars(parent, 6)).toEqual(["pack w 0-1, ran 1-2, kids 2-6"]);
});

test("shows a job that was cancelled before it began", () => {
  const told: Told = { state: "cancelled", queue: "pack", created: at(0), since: at(3), path: [] };
  expect(bars(told, 6)).toEqual(["pack w 0-3"]);
});
