import { expect, it } from "vitest";
import { FlowsClient, type WorkflowState } from "@typed-flows/react";
import { countsOf, find, prune, standingOf, tookOf, type Task, type Tree } from "./stand";

const task = (path: string, weight: number, ...tasks: Task[]): Task => ({
  ...{ path, name: path.slice(path.lastIndexOf(".") + 1), description: "", weight, order: "parallel", queue: "" },
  ...{ reads: [], sources: {}, gate: "", writes: [], tasks },
});
const TASKS = [task("#.a", 1), task("#.g", 0, task("#.g.b", 2), task("#.g.c", 1))];
const state = (status: string, progress = 0) => ({
  ...{ status, progress, stale: false, message: "", queued: null, started: null, ended: null, attempt: 0 },
  ...{ error: null, because: "", bytes: null, order: 1, inputs: {} },
});
const TREE = {
  ...{ id: "i", status: "working", progress: 0.25, revision: 7, execution: "x", path: "", error: null, because: "" },
  tasks: TASKS,
  states: { "#.a": state("ok", 1), "#.g": state("running"), "#.g.b": state("running"), "#.g.c": state("queued") },
} as unknown as Tree;
const UNKNOWN = new FlowsClient({ url: "x" }).workflow("i");

it("shows the later of what is answered and what is told", () => {
  expect(standingOf(TREE, UNKNOWN).tasks.get("#.a")?.status).toBe("ok");
  const told = { ...UNKNOWN, status: "working", rev: 8, statuses: { "#.g.b": { status: "ok" } } } as WorkflowState;
  const later = standingOf(TREE, told);
  expect([later.tasks.get("#.a"), later.done.get("#.g")]).toEqual([undefined, 2 / 3]);
  expect(standingOf(TREE, { ...told, rev: 6 }).tasks.get("#.a")?.status).toBe("ok");
});

it("counts what does something, keeps what leads to a match, and finds by path", () => {
  const standing = standingOf(TREE, UNKNOWN);
  const counts = countsOf(TASKS, standing);
  expect([...counts.of, counts.paths, counts.weight]).toEqual([["ok", 1], ["running", 1], ["queued", 1], 4, 4]);
  const kept = prune(TASKS, (one) => standing.tasks.get(one.path)?.status === "queued");
  expect(kept.map((one) => [one.path, one.tasks.map((below) => below.path)])).toEqual([["#.g", ["#.g.c"]]]);
  expect([find(TASKS, "#.g.c")?.path, find(TASKS, "#.ga"), find(TASKS, "#.g.x")]).toEqual(["#.g.c", null, null]);
});

it("tells how long a task took, or has been at it", () => {
  expect(tookOf({ status: "running", started: 100 }, 350)).toBe(250);
  expect(tookOf({ status: "ok", started: 100, ended: 150 }, 999)).toBe(50);
  expect(tookOf({ status: "queued" }, 999)).toBeNull();
});
