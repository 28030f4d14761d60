/** How far a tree of tasks is: Σ weight·p / Σ weight over all tasks, where p is how far one is. */
import { type Statuses, type TaskState, taskOf } from "./workflow";

/** Of a task: what counts for progress. */
export interface Weighed {
  readonly path: string;
  readonly weight: number;
  readonly tasks: readonly Weighed[];
}

/** Returns the progress, 0 to 1, of each task with all below it, by path; what weighs nothing is at 0. */
export function rollUp(tasks: readonly Weighed[], statuses: Statuses): Map<string, number> {
  const progress = new Map<string, number>();
  for (const task of tasks) weigh(task, statuses, progress);
  return progress;
}

/** Returns the mass of a task and all below it, and how much of that is done. */
function weigh(task: Weighed, statuses: Statuses, progress: Map<string, number>): readonly [number, number] {
  let mass = task.weight;
  let done = mass * shareOf(taskOf(statuses, task.path));
  for (const below of task.tasks) {
    const [more, ofIt] = weigh(below, statuses, progress);
    mass += more;
    done += ofIt;
  }
  progress.set(task.path, mass > 0 ? done / mass : 0);
  return [mass, done];
}

/** Returns how far a task itself is. */
export function shareOf(state: TaskState): number {
  switch (state.status) {
    case "ok":
    case "skipped":
      return 1;
    case "running":
    case "failed":
    case "cancelled":
      return Math.min(1, Math.max(0, state.progress ?? 0));
    default:
      return 0;
  }
}
