import fc from "fast-check";
import { expect, it } from "vitest";
import type { TasksStatuses } from "../src/protocol";
import { moveOf, rowsOf } from "../src/rows";
import { guess, runningOf } from "../src/smooth";
import { type HeldWorkflow, takeWorkflow, type TaskNode, type TaskState } from "../src/workflow";
import { UNKNOWN } from "../src/workflowWatch";

const task = (path: string, ...tasks: TaskNode[]): TaskNode => ({
  ...{ name: path.slice(path.lastIndexOf(".") + 1), path, weight: tasks.length ? 0 : 1, tasks },
});
const TREE = [task("#.a"), task("#.g", task("#.g.b"), task("#.g.c"))];

function telling(rev: number, from: number, statuses: Record<string, TaskState>, epoch = "e"): TasksStatuses {
  return { type: "setTasksStatuses", id: "w", from, rev, cursor: `${epoch}.${rev}`, statuses, progress: 0 };
}

it("replaces, merges by path, ignores what is older, and asks where something is missing", () => {
  const told = { type: "setWorkflowStatus", id: "w", status: "working", execution: "x" } as const;
  const first = takeWorkflow(null, { tasks: TREE, told }, telling(4, 0, { "#.a": { status: "running" } }))!;
  expect(first).toMatchObject({ rev: 4, cursor: "e.4", status: "working", execution: "x", tasks: TREE });
  const merged = takeWorkflow(first, {}, telling(6, 3, { "#.g.b": { status: "ok" } }))!;
  expect(merged.statuses).toEqual({ "#.a": { status: "running" }, "#.g.b": { status: "ok" } });
  expect([merged.statuses["#.a"], merged.tasks]).toEqual([first.statuses["#.a"], first.tasks]);
  expect(merged.status).toBe("working");
  expect(takeWorkflow(merged, {}, telling(6, 3, { "#.a": { status: "ok" } }))).toBe(merged);
  expect(takeWorkflow(merged, {}, telling(9, 7, {}))).toBeNull();
  expect(takeWorkflow(merged, {}, telling(9, 6, {}, "other"))).toBeNull();
  expect(takeWorkflow(null, {}, telling(9, 6, {}))).toBeNull();
  const anew = takeWorkflow(merged, {}, telling(2, 0, { "#.a": { status: "running" } }, "other"))!;
  expect(anew.statuses).toEqual({ "#.a": { status: "running" } });
  expect(anew.statuses["#.a"]).toBe(first.statuses["#.a"]);
});

/** What a server has: each path with the revision of its last change; another lineage after it has lost writes. */
class Instance {
  epoch = 0;
  rev = 0;
  readonly paths = new Map<string, { at: number; state: TaskState }>();

  write(path: string, state: TaskState): void {
    this.paths.set(path, { at: ++this.rev, state });
  }

  get statuses(): Record<string, TaskState> {
    return Object.fromEntries([...this.paths].map(([path, { state }]) => [path, state]));
  }

  /** What a watcher with this cursor is sent; `most`: it was sent when the instance was so far. */
  answer(cursor: string | undefined): TasksStatuses | null {
    const [epoch, rev] = (cursor ?? "").split(".");
    const from = epoch === String(this.epoch) && Number(rev) <= this.rev ? Number(rev) : 0;
    if (from === this.rev && cursor !== undefined && from !== 0) return null;
    const changed = [...this.paths].filter(([, { at }]) => at > from).map(([path, { state }]) => [path, state]);
    return telling(this.rev, from, Object.fromEntries(changed) as Record<string, TaskState>, String(this.epoch));
  }
}

it("holds what the server has in the end, whatever is lost, repeated, late or merged", () => {
  const path = fc.constantFrom("#.a", "#.g.b", "#.g.c", "__proto__", "toString");
  const state = fc.record({ status: fc.constantFrom("running", "ok", "failed" as const), attempt: fc.nat(2) });
  const step = fc.oneof(
    { weight: 5, arbitrary: fc.tuple(fc.constant("write" as const), path, state) },
    { weight: 3, arbitrary: fc.tuple(fc.constantFrom("tell", "lose", "keep", "late", "repeat", "failover" as const)) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (history) => {
      let instance = new Instance();
      let held: HeldWorkflow | null = null;
      let sent: string | undefined;
      const kept: TasksStatuses[] = [];
      const take = (message: TasksStatuses) => {
        const next = takeWorkflow(held, {}, message);
        if (next !== null) held = next;
        else sent = held?.cursor; // it asks again with its own cursor
      };
      for (const [what, ...given] of history) {
        if (what === "write") instance.write(...(given as [string, TaskState]));
        else if (what === "failover") {
          const before = instance;
          instance = new Instance();
          instance.epoch = before.epoch + 1;
          for (const [path, { at, state }] of before.paths) if (at % 2) instance.write(path, state);
          sent = held === null ? undefined : (held as HeldWorkflow).cursor;
        } else if (what === "late") kept.splice(0).forEach(take);
        else {
          const message = instance.answer(sent);
          if (message === null) continue;
          sent = message.cursor;
          if (what === "keep") kept.push(message);
          else if (what !== "lose") take(message);
          if (what === "repeat") take(message);
        }
      }
      kept.length = 0; // a connection is in order: what is late belongs to one that has gone
      const last = instance.answer((held as HeldWorkflow | null)?.cursor);
      if (last !== null) take(last);
      expect((held as HeldWorkflow | null)?.statuses ?? {}).toEqual(instance.statuses);
    }),
    { numRuns: 30_000 },
  );
}, 60_000);

it("shows a tree as rows, and moves in it by keys", () => {
  const rows = rowsOf(TREE, new Set());
  expect(rows.map((row) => [row.node.path, row.level, row.place, row.siblings, row.parent])).toEqual([
    ["#.a", 1, 1, 2, null],
    ["#.g", 1, 2, 2, null],
    ["#.g.b", 2, 1, 2, "#.g"],
    ["#.g.c", 2, 2, 2, "#.g"],
  ]);
  const closed = new Set(["#.g"]);
  expect(rowsOf(TREE, closed)).toHaveLength(2);
  const press = (key: string, at: string, closed = new Set<string>()) => moveOf(key, rowsOf(TREE, closed), at, closed);
  expect([press("ArrowDown", "#.a"), press("ArrowUp", "#.a"), press("End", "#.a"), press("Home", "#.g.b")]).toEqual([
    ...[{ to: "#.g" }, null, { to: "#.g.c" }, { to: "#.a" }],
  ]);
  expect([press("ArrowRight", "#.g"), press("ArrowRight", "#.g", closed), press("ArrowRight", "#.a")]).toEqual([
    ...[{ to: "#.g.b" }, { open: "#.g" }, null],
  ]);
  expect([press("ArrowLeft", "#.g"), press("ArrowLeft", "#.g.b"), press("ArrowLeft", "#.g", closed)]).toEqual([
    ...[{ close: "#.g" }, { to: "#.g" }, null],
  ]);
  expect([press("x", "#.a"), press("End", "#.gone")]).toEqual([null, null]);
});

it("guesses what is probably done, from when it was seen here, and never that it is over", () => {
  const statuses = { "#.a": { status: "running", started: 7, progress: 0.3 } as const };
  const state = { ...UNKNOWN, tasks: TREE, statuses, progress: 0.1 };
  const expected = { "#.a": 1000, "#.g.b": 1000 };
  const seen = runningOf(state, expected, new Map(), 50_000);
  expect([...seen]).toEqual([["#.a", { started: 7, at: 50_000 }]]);
  const at = (ms: number) => guess(state, expected, runningOf(state, expected, seen, 50_000 + ms), 50_000 + ms);
  expect([at(0), at(600)]).toEqual([0.1, 0.6 / 3].map((of) => expect.closeTo(of)));
  expect(at(10_000_000)).toBeLessThanOrEqual(1 / 3);
  expect(at(2000)).toBeLessThan(1 / 3);
  expect(at(2000)).toBeGreaterThan(at(1000));
  const again = { ...state, statuses: { "#.a": { status: "running", started: 9 } as const } };
  expect(guess(again, expected, runningOf(again, expected, seen, 60_000), 60_000)).toBe(0);
  const ended = { ...state, statuses: { "#.a": { status: "ok" } as const }, progress: 0.7 };
  expect(guess(ended, expected, runningOf(ended, expected, seen, 60_000), 60_000)).toBe(0.7);
});
