import { expect, test } from "vitest";
import type { RunView, StepView } from "@typed-flows/react";
import { isEndless, shapeOf, wordOf } from "./states";

const DAY = 86_400_000;
const run = (awaits: RunView["awaits"], kind: string | null = null) =>
  ({
    status: awaits === null ? "waiting" : "suspended",
    awaits,
    since: new Date(366 * DAY).toISOString(),
    ...(kind === null ? {} : { steps: [{ kind, status: "waiting" } as StepView] }),
  }) as RunView;

test("says of a suspended run what it waits for", () => {
  const told = (["answer", "event", "runs", "time", null] as const).map((awaits) => [
    shapeOf(run(awaits)),
    wordOf(run(awaits)),
  ]);
  expect(told).toEqual([
    ["event", "waits for an answer"],
    ["event", "waits for an event"],
    ["children", "waits for children"],
    ["sleeping", "sleeps"],
    ["waiting", "waiting"],
  ]);
  expect([wordOf(run("time", "run")), wordOf(run("time", "sleep"))]).toEqual(["backs off", "sleeps"]);
});

test("tells no time of what waits without one", () => {
  expect([isEndless(run("answer"), 0), isEndless(run("answer"), 2 * DAY), isEndless(run(null), 0)]).toEqual([
    true,
    false,
    false,
  ]);
});
