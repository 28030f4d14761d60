import type { FlowHistory, Live, QueueView } from "@typed-flows/react";
import { expect, test } from "vitest";
import { over, pace } from "./figures";
import { travel } from "./travel";
import { troubles, type Trouble } from "./troubles";

const queue = (name: string, next: string | null = null) =>
  ({ name, next, parent: name.includes(":") ? name.slice(0, name.lastIndexOf(":")) : null }) as Live<QueueView>;

test("queues stand in the order in which jobs travel, also where they go round", () => {
  const names = (...queues: Live<QueueView>[]) => travel(queues).map((one) => one.queue.name);
  expect(names(queue("c"), queue("a", "b"), queue("b", "c"))).toEqual(["a", "b", "c"]);
  expect(names(queue("a", "b"), queue("b", "a"), queue("alone"))).toEqual(["alone", "a", "b"]);
  const [parent] = travel([queue("p"), queue("p:x"), queue("p:x:y"), queue("p:z")]);
  expect(parent?.children.map((one) => one.queue.name)).toEqual(["p:x", "p:z"]);
  expect(parent?.children[0]?.children[0]?.queue.name).toBe("p:x:y");
});

const history = (known: string | null) =>
  ({ first: "2026-01-01T12:00:00Z", known, step: 60, came: [10, 20, 30, 5] }) as unknown as Live<FlowHistory>;

test("the present step, and what nothing is known of, tell nothing", () => {
  const late = history("2026-01-01T12:01:00Z");
  expect(over(late, late.came)).toEqual([20, 30]);
  expect(pace(late, late.came, 60)).toEqual({ now: 25, change: null });
  expect(over(history(null), [1, 2, 3, 4])).toEqual([]);
});

test("a pace is held against that of the window before, as far as that is known", () => {
  const old = history("2026-01-01T11:58:00Z");
  expect(pace(old, old.came, 80)).toEqual({ now: 20, change: -0.5 });
});

test("what is wrong comes first, and of the server only what is urgent", () => {
  const finding = (what: string, level: Trouble["level"], flow: string | null, waiting = 0) =>
    ({ what, level, flow, sentence: "", facts: { waiting } }) as Trouble;
  const found = troubles([
    finding("persistence", "warning", null),
    finding("behind", "warning", "a", 5),
    finding("behind", "warning", "a", 9),
    finding("paused", "warning", "a"),
    finding("unserved", "wrong", "a"),
    finding("flow", "fine", "a"),
  ]);
  expect(found.map((one) => `${one.what} ${one.facts["waiting"]}`)).toEqual([
    "unserved 0",
    "paused 0",
    "behind 9",
    "behind 5",
  ]);
});
