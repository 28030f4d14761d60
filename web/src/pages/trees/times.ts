/** When the tasks of a tree waited and ran, as it is told of each: pure. All times are in ms since 1970. */
import type { TaskState, TaskStatus } from "@typed-flows/react";
import { INACTIVE, tookOf, type Task } from "./stand";

export interface Bar {
  /** `below`: from the begin of the first task in a group to the end of the last one. */
  kind: "waited" | "ran" | "below";
  from: number;
  to: number;
  /** Whether it goes on: it has no right end. */
  open: boolean;
}

export interface Line {
  task: Task;
  level: number;
  status: TaskStatus;
  attempt: number;
  bars: readonly Bar[];
  took: number | null;
}

/** The lines of what has been queued, and how many tasks never were. */
export function linesOf(tasks: readonly Task[], states: ReadonlyMap<string, TaskState>, now: number) {
  const lines: Line[] = [];
  let left = 0;
  /** Returns from when to when something below was at work. */
  const walk = (some: readonly Task[], level: number): [number, number, boolean] => {
    let [from, to, open] = [Infinity, -Infinity, false];
    for (const task of some) {
      const state = states.get(task.path) ?? INACTIVE;
      const line: Line = { task, level, status: state.status, attempt: state.attempt ?? 0, bars: [], took: null };
      const at = lines.push(line) - 1;
      const [first, last, goesOn] = walk(task.tasks, level + 1);
      const group = task.weight === 0 && task.tasks.length > 0;
      const bars = group ? below(first, last, goesOn) : barsOf(state, now);
      if (!bars.length) {
        lines.splice(at, 1);
        left += group || state.status === "skipped" ? 0 : 1;
        continue;
      }
      lines[at] = { ...line, bars, took: group ? last - first : tookOf(state, now) };
      from = Math.min(from, bars[0]!.from, first);
      to = Math.max(to, bars.at(-1)!.to, last);
      open ||= goesOn || bars.some((bar) => bar.open);
    }
    return [from, to, open];
  };
  walk(tasks, 1);
  return { lines, left };
}

const below = (from: number, to: number, open: boolean): Bar[] =>
  from <= to ? [{ kind: "below", from, to, open }] : [];

function barsOf(state: TaskState, now: number): Bar[] {
  const { status, queued, started, ended } = state;
  const bars: Bar[] = [];
  const waits = status === "queued" && queued !== undefined;
  const runs = status === "running" && started !== undefined;
  if (queued !== undefined && (waits || (started !== undefined && started > queued)))
    bars.push({ kind: "waited", from: queued, to: waits ? Math.max(now, queued) : started!, open: waits });
  if (runs) bars.push({ kind: "ran", from: started, to: Math.max(now, started), open: true });
  else if (started !== undefined && ended !== undefined && !waits)
    bars.push({ kind: "ran", from: started, to: Math.max(started, ended), open: false });
  return bars;
}
