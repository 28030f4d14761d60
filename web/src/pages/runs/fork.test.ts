import { expect, it } from "vitest";
import type { RunView } from "@typed-flows/react";
import { takenOver } from "./fork";

const run = (...steps: [string, string][]) =>
  ({ steps: steps.map(([name, status]) => ({ name, status })) }) as unknown as RunView;

it("keeps what was done before a step and was not undone", () => {
  const of = run(
    ["a", "done"],
    ["b", "done"],
    ["c", "withdrawn"],
    ["d", "failed"],
    ["undo:b", "done"],
    ["e", "waiting"],
  );
  expect(takenOver(of, "d")).toEqual({ kept: ["a", "c"], again: ["d", "b", "e"] });
  expect(takenOver(of, "a")).toEqual({ kept: [], again: ["a", "b", "c", "d", "e"] });
});

it("keeps all that is done where the step still waits", () => {
  expect(takenOver(run(["a", "done"], ["b", "waiting"], ["c", "waiting"]), "b")).toEqual({
    kept: ["a"],
    again: ["b", "c"],
  });
});
