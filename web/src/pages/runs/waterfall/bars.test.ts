import { describe, expect, it } from "vitest";
import type { RunView, StepView } from "@typed-flows/react";
import { rowsOf, visitsOf } from "./bars";

const T0 = Date.parse("2026-11-26T15:02:11Z");
const at = (ms: number) => new Date(T0 + ms).toISOString();

function step(name: string, more: Partial<StepView> = {}): StepView {
  const base = { kind: "run", status: "done", began: at(0), took: 0, tries: 0, tried: [], undo: false, until: null };
  const nothing = {
    result: null,
    error_type: null,
    error_message: null,
    prompt: "",
    refused: "",
    event: null,
    answer_schema: null,
  };
  return { name, ...base, ...nothing, key: null, workflow: null, total: null, ended: null, ...more };
}
const tried = (...tries: [number, number, string?][]) =>
  tries.map(([from, ms, error]) => ({ began: at(from), took: ms / 1000, error_type: error ?? "" }));

function run(more: Partial<RunView>): RunView {
  return {
    created: at(0),
    since: at(9_000),
    status: "suspended",
    steps: [],
    past: [],
    error_type: null,
    ...more,
  } as RunView;
}

function rows(of: RunView, now = 10_000) {
  const visits = visitsOf(of);
  return rowsOf(of, visits, T0 + now).map((row) => ({
    name: row.step.name,
    shape: row.shape,
    bars: row.bars.map((bar) => [bar.kind, bar.from - T0, bar.to - T0, ...(bar.open ? ["open"] : [])]),
  }));
}

describe("rowsOf", () => {
  it("draws tries, what was backed off between them, and one that is still waited for", () => {
    const failed = tried([0, 50, "A"], [1050, 20, "A"]);
    const found = rows(
      run({
        steps: [
          step("a", { tries: 3, tried: [...failed, ...tried([3000, 10])] }),
          step("b", { status: "waiting", tries: 1, tried: tried([4000, 10, "A"]), until: at(20_000) }),
        ],
      }),
    );
    expect(found[0]!.bars).toEqual([
      ["failed", 0, 50],
      ["backed", 50, 1050],
      ["failed", 1050, 1070],
      ["backed", 1070, 3000],
      ["ran", 3000, 3010],
    ]);
    expect(found[1]).toEqual({
      name: "b",
      shape: "delayed",
      bars: [
        ["failed", 4000, 4010],
        ["backed", 4010, 10_000, "open"],
      ],
    });
  });

  it("draws waits until they ended, or until now without a right end", () => {
    const found = rows(
      run({
        steps: [
          step("s", { kind: "sleep", until: at(300) }),
          step("e", { kind: "event", took: 0.5 }),
          step("m", { kind: "map", status: "waiting", total: 3, ended: 1, began: at(600) }),
          step("i", { kind: "input", status: "waiting", began: at(700) }),
        ],
      }),
    );
    expect(found.map((one) => one.bars)).toEqual([
      [["sleep", 0, 300]],
      [["event", 0, 500]],
      [["kids", 600, 10_000, "open"]],
      [["event", 700, 10_000, "open"]],
    ]);
    expect(found.map((one) => one.shape)).toEqual(["done", "done", "children", "event"]);
  });

  it("keeps what an earlier visit did: memoised steps, those that ran again, and what was undone", () => {
    const past = {
      ended: at(2000),
      next: at(5000),
      status: "failed",
      error_type: "E",
      steps: [
        step("charge", { undo: true, tries: 1, tried: tried([100, 50]) }),
        step("undo:charge", { kind: "undo", tries: 1, tried: tried([1900, 20]) }),
      ],
    };
    const of = run({
      past: [past],
      steps: [
        step("load", { tries: 1, tried: tried([0, 40]) }),
        step("charge", { undo: true, tries: 1, tried: tried([5100, 30]) }),
        step("ship", { tries: 1, tried: tried([200, 10, "E"], [5200, 10]) }),
      ],
    });
    expect(visitsOf(of)).toMatchObject([
      { from: T0, to: T0 + 2000, status: "failed", error: "E", at: "ship", undone: 1 },
      { from: T0 + 5000, to: null },
    ]);
    expect(rows(of)).toEqual([
      {
        name: "load",
        shape: "memoised",
        bars: [
          ["ran", 0, 40],
          ["memo", 5000, 5000],
        ],
      },
      {
        name: "charge",
        shape: "done",
        bars: [
          ["ran", 100, 150],
          ["ran", 5100, 5130],
        ],
      },
      {
        name: "ship",
        shape: "done",
        bars: [
          ["failed", 200, 210],
          ["ran", 5200, 5210],
        ],
      },
      { name: "undo:charge", shape: "undone", bars: [["undo", 1900, 1920]] },
    ]);
  });

  it("lets nothing go on once the run has ended", () => {
    const of = run({ status: "cancelled", steps: [step("e", { kind: "event", status: "waiting" })] });
    expect(rows(of)[0]!.bars).toEqual([["event", 0, 0]]);
  });
});
