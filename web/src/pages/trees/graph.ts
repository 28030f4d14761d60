/**
 * The tasks of a tree as a graph: an arrow leads from what has to have ended to what begins then: to what reads its
 * result, to what comes next in a sequence, and to what stands below it. Pure.
 */
import type { Task } from "./stand";
import { flat, works } from "./why";

export interface Spot {
  task: Task;
  /** Of a group that is drawn as one: how many tasks are in it; else 0. */
  inside: number;
  column: number;
  row: number;
}

export interface Arrow {
  from: string;
  to: string;
  /** Whether a result goes along it; else it is the order alone. */
  given: boolean;
}

export interface Graph {
  spots: readonly Spot[];
  arrows: readonly Arrow[];
  columns: number;
  rows: number;
}

/** A group of more is drawn as one. */
const MANY = 10;
/** What has more places cannot be read. */
export const MOST = 200;

/** Returns the graph; null where it has too many places. */
export function graphOf(tasks: readonly Task[]): Graph | null {
  const spots = new Map<string, Spot>();
  /** What stands for a path that is in a group that is drawn as one. */
  const drawn = new Map<string, string>();
  place(tasks, "", spots, drawn);
  if (spots.size > MOST) return null;
  const before = new Map<string, Map<string, boolean>>([...spots.keys()].map((path) => [path, new Map()]));
  const link = (from: string, to: string, given: boolean) => {
    const [a, b] = [drawn.get(from) ?? from, drawn.get(to) ?? to];
    if (a !== b && spots.has(a) && spots.has(b)) before.get(b)!.set(a, given || before.get(b)!.has(a));
  };
  readers(tasks, link, spots, drawn);
  order(tasks, true, null, (from, to) => link(from, to, false), spots);
  // The order alone is worth an arrow where no other way leads there.
  for (const [to, all] of before)
    for (const [from, given] of [...all]) {
      if (given) continue;
      all.delete(from);
      if (!reaches(before, from, to)) all.set(from, false);
    }
  columns(spots, before);
  const rows = inRows([...spots.values()], before);
  return {
    spots: [...spots.values()],
    arrows: [...before].flatMap(([to, all]) => [...all].map(([from, given]) => ({ from, to, given }))),
    columns: 1 + Math.max(-1, ...[...spots.values()].map((spot) => spot.column)),
    rows,
  };
}

type Before = ReadonlyMap<string, ReadonlyMap<string, boolean>>;

function place(tasks: readonly Task[], as: string, spots: Map<string, Spot>, drawn: Map<string, string>) {
  for (const task of tasks) {
    const whole = as === "" && task.tasks.length > MANY && task.order === "parallel";
    if (as !== "") drawn.set(task.path, as);
    else if (works(task) || whole)
      spots.set(task.path, { task, inside: whole ? flat(task.tasks).length : 0, column: 0, row: 0 });
    place(task.tasks, as || (whole ? task.path : ""), spots, drawn);
  }
}

/** Where a task begins, or has ended: itself, or of a group what is drawn below it. */
function ends(task: Task, spots: ReadonlyMap<string, Spot>, which: "first" | "last"): string[] {
  const spot = spots.get(task.path);
  if (spot && (which === "first" || spot.inside || !task.tasks.length)) return [task.path];
  const at = which === "first" ? 0 : -1;
  const chosen = task.order === "parallel" ? task.tasks : [task.tasks.at(at)!];
  return chosen.flatMap((one) => ends(one, spots, which));
}

function readers(
  tasks: readonly Task[],
  link: (from: string, to: string, given: boolean) => void,
  spots: ReadonlyMap<string, Spot>,
  drawn: ReadonlyMap<string, string>,
) {
  const all = flat(tasks);
  const byPath = new Map(all.map((task) => [task.path, task]));
  for (const task of all)
    for (const from of Object.values(task.sources as Record<string, string>)) {
      const writer = byPath.get(from);
      if (!writer) continue;
      const froms = spots.has(from) || drawn.has(from) ? [from] : ends(writer, spots, "last");
      // Of a group that has a condition alone, what is below it waits.
      const tos = spots.has(task.path) || drawn.has(task.path) ? [task.path] : ends(task, spots, "first");
      for (const one of froms) for (const to of tos) link(one, to, true);
    }
}

function order(
  tasks: readonly Task[],
  sequence: boolean,
  above: Task | null,
  comes: (from: string, to: string) => void,
  spots: ReadonlyMap<string, Spot>,
) {
  tasks.forEach((task, n) => {
    const last = sequence ? tasks[n - 1] : undefined;
    const froms = last ? ends(last, spots, "last") : above && spots.has(above.path) ? [above.path] : [];
    for (const to of ends(task, spots, "first")) for (const from of froms) comes(from, to);
    if (!spots.get(task.path)?.inside) order(task.tasks, task.order === "sequence", task, comes, spots);
  });
}

/** Whether arrows lead from one place to another. */
function reaches(before: Before, from: string, to: string): boolean {
  const seen = new Set([to]);
  for (const path of seen) {
    if (before.get(path)?.has(from)) return true;
    for (const one of before.get(path)?.keys() ?? []) seen.add(one);
  }
  return false;
}

/** Each stands behind all that it waits for. */
function columns(spots: Map<string, Spot>, before: Before) {
  const done = new Set<string>();
  const visit = (path: string): number => {
    const spot = spots.get(path)!;
    if (!done.has(path)) {
      done.add(path); // a circle cannot be declared
      spot.column = Math.max(0, ...[...before.get(path)!.keys()].map((from) => visit(from) + 1));
    }
    return spot.column;
  };
  for (const path of spots.keys()) visit(path);
}

/** Within a column, in the order of what leads there; returns how many rows there are. */
function inRows(spots: Spot[], before: Before): number {
  const byPath = new Map(spots.map((spot) => [spot.task.path, spot]));
  let most = 0;
  for (let column = 0; ; column++) {
    const here = spots.filter((spot) => spot.column === column);
    if (!here.length) return most;
    const mean = (spot: Spot) => {
      const froms = [...before.get(spot.task.path)!.keys()].map((path) => byPath.get(path)!.row);
      return froms.length ? froms.reduce((sum, row) => sum + row, 0) / froms.length : 0;
    };
    here
      .map((spot, n) => ({ spot, n, mean: mean(spot) }))
      .sort((a, b) => a.mean - b.mean || a.n - b.n)
      .forEach(({ spot }, row) => (spot.row = row));
    most = Math.max(most, here.length);
  }
}
