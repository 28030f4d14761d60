/** A progress that moves between reports: a guess of how far the tasks are that run, which never says that one is over. */
import { rollUp, shareOf } from "./rollup";
import type { TaskNode, TaskState } from "./workflow";
import type { WorkflowState } from "./workflowWatch";

/** How long tasks take, about, in ms, by path. */
export type Expected = Readonly<Record<string, number>>;

/** When a task was first seen running here: clocks of two machines differ. */
export interface Seen {
  readonly started: number | undefined;
  readonly at: number;
}

/** Returns which of the expected tasks run, each with when it was first seen so. */
export function runningOf(
  state: WorkflowState,
  expected: Expected,
  seen: ReadonlyMap<string, Seen>,
  now: number,
): Map<string, Seen> {
  const running = new Map<string, Seen>();
  for (const path of Object.keys(expected)) {
    const task = state.statuses[path];
    if (task?.status !== "running") continue;
    const before = seen.get(path);
    running.set(path, before && before.started === task.started ? before : { started: task.started, at: now });
  }
  return running;
}

/** Returns the progress, 0 to 1, with what the running tasks have probably done since they were seen. */
export function guess(
  state: WorkflowState,
  expected: Expected,
  running: ReadonlyMap<string, Seen>,
  now: number,
): number {
  if (running.size === 0) return state.progress;
  const statuses: Record<string, TaskState> = { ...state.statuses };
  for (const [path, { at }] of running) {
    const task = statuses[path]!;
    statuses[path] = { ...task, progress: Math.max(shareOf(task), curve((now - at) / expected[path]!)) };
  }
  return whole(state.tasks, statuses);
}

/** With the time up to three quarters of it, then slower and slower: it never gets to 1. */
function curve(time: number): number {
  return time <= STEADY ? time : 1 - (1 - STEADY) * Math.exp((STEADY - time) / (1 - STEADY));
}

const STEADY = 0.75;

function whole(tasks: readonly TaskNode[], statuses: Record<string, TaskState>): number {
  return rollUp([{ path: "#", weight: 0, tasks }], statuses).get("#") ?? 0;
}
