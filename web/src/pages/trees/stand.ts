/**
 * How the tasks of a tree stand, from two sources: what the operation answers now and then, and what is told at once.
 * The later of both is shown. Pure.
 */
import {
  rollUp,
  type Live,
  type TaskState,
  type TaskStatus,
  type TreeTaskView,
  type TreeView,
} from "@typed-flows/react";
import type { WorkflowState } from "@typed-flows/react";
import type { Shape } from "../../parts/shapes";

export type Task = Live<TreeTaskView>;
export type Tree = Live<TreeView>;

export interface Standing {
  status: Tree["status"];
  progress: number;
  revision: number;
  execution: string;
  path: string;
  error: { type: string; message: string } | null;
  because: string;
  tasks: ReadonlyMap<string, TaskState>;
  /** By path, with what is below it. */
  done: ReadonlyMap<string, number>;
}

export function standingOf(tree: Tree, told: WorkflowState): Standing {
  if (told.status === "unknown" || told.status === "destroyed" || told.rev < tree.revision) return answered(tree);
  return {
    status: told.status,
    progress: told.progress,
    revision: told.rev,
    execution: told.execution,
    path: told.path,
    error: told.error ?? (told.execution === tree.execution ? errorOf(tree.error) : null),
    because: told.because,
    tasks: new Map(Object.entries(told.statuses)),
    done: rollUp(tree.tasks, told.statuses),
  };
}

function answered(tree: Tree): Standing {
  const { status, progress, revision, execution, path, because } = tree;
  const states = Object.entries(tree.states);
  return {
    ...{ status, progress, revision, execution, path, because, error: errorOf(tree.error) },
    tasks: new Map(states.map(([path, state]) => [path, stateOf(state)])),
    done: new Map(states.map(([path, state]) => [path, state.progress])),
  };
}

function stateOf(view: Tree["states"][string]): TaskState {
  const error = errorOf(view.error);
  return {
    status: view.status,
    stale: view.stale,
    progress: view.progress,
    message: view.message,
    because: view.because,
    attempt: view.attempt,
    ...instant("queued", view.queued),
    ...instant("started", view.started),
    ...instant("ended", view.ended),
    ...(error && { error }),
    ...(view.bytes != null && { bytes: view.bytes }),
  };
}

const instant = <Name extends string>(name: Name, at: string | null | undefined) =>
  (at == null ? {} : { [name]: Date.parse(at) }) as { [one in Name]?: number };

function errorOf(error: Tree["error"]): Standing["error"] {
  return error == null ? null : { type: error.type, message: error.message };
}

export const INACTIVE: TaskState = { status: "inactive" };

/** The shape of each state. */
export const shapes: Record<TaskStatus, Shape> = {
  inactive: "inactive",
  queued: "queued",
  running: "running",
  ok: "ok",
  skipped: "skipped",
  failed: "failed",
  cancelled: "cancelled",
};
export const shapeOf: Record<Tree["status"], Shape> = {
  idle: "inactive",
  working: "running",
  done: "done",
  failed: "failed",
  cancelled: "cancelled",
};

export interface Counts {
  /** Of the tasks that do something themselves, or have been skipped or failed as a group. */
  of: ReadonlyMap<TaskStatus | "stale", number>;
  paths: number;
  weight: number;
}

/** Counts tasks with a weight by their status; groups follow from what is below them. */
export function countsOf(tasks: readonly Task[], { tasks: states }: Standing): Counts {
  const of = new Map<TaskStatus | "stale", number>();
  const add = (what: TaskStatus | "stale") => of.set(what, (of.get(what) ?? 0) + 1);
  let paths = 0;
  let weight = 0;
  const walk = (nodes: readonly Task[]) => {
    for (const node of nodes) {
      paths += 1;
      weight += node.weight;
      const state = states.get(node.path) ?? INACTIVE;
      if (node.weight > 0 || node.tasks.length === 0) {
        add(state.status);
        if (state.stale) add("stale");
      }
      walk(node.tasks);
    }
  };
  walk(tasks);
  return { of, paths, weight };
}

/** The tasks of which this is true, with those above them. */
export function prune(tasks: readonly Task[], keep: (task: Task) => boolean): Task[] {
  return tasks.flatMap((task) => {
    const below = prune(task.tasks, keep);
    return below.length || keep(task) ? [{ ...task, tasks: below }] : [];
  });
}

/** Finds a task. */
export function find(tasks: readonly Task[], path: string): Task | null {
  for (const task of tasks) {
    if (task.path === path) return task;
    if (path.startsWith(`${task.path}.`)) return find(task.tasks, path);
  }
  return null;
}

/** How long a task took, or has been at it, in ms; null: it has not begun. */
export function tookOf({ started, ended, status }: TaskState, now: number): number | null {
  if (started === undefined) return null;
  if (status === "running") return Math.max(0, now - started);
  return ended === undefined ? null : ended - started;
}
