/** What a task is made of: where what it reads comes from, whether that is another one now, and why it is stale. Pure. */
import type { Task, Tree } from "./stand";

export type Cause =
  /** A task whose result it was given is stale, or ran again. */
  | { what: "stale" | "again"; path: string }
  /** Something of the data is another one; which of these is not known. */
  | { what: "data"; names: readonly string[] };

/** Why the result of a task is stale; null: it is not, or that cannot be told. */
export function causeOf(task: Task, { states }: Tree): Cause | null {
  const state = states[task.path];
  if (!state?.stale) return null;
  const inputs = Object.entries(state.inputs as Record<string, number>);
  const stale = inputs.find(([path]) => states[path]?.stale);
  if (stale) return { what: "stale", path: stale[0] };
  const again = inputs.find(([path, order]) => states[path] && states[path].order !== order);
  if (again) return { what: "again", path: again[0] };
  const names = dataOf(task);
  return names.length ? { what: "data", names } : null;
}

/** What it reads of the data. */
const dataOf = ({ sources }: Task) =>
  Object.entries(sources as Record<string, string>)
    .filter(([, from]) => from === "")
    .map(([name]) => name);

export interface Seen {
  name: string;
  /** The task that writes it; empty: the data. */
  from: string;
  /** The revision at which that had ended, and the one of now; 0: that is not known. */
  then: number;
  now: number;
  /** Whether it would be given another one now. */
  other: boolean;
}

/** What a task reads, with what it was given. */
export function seenBy(task: Task, tree: Tree): Seen[] {
  const inputs = Object.entries((tree.states[task.path]?.inputs ?? {}) as Record<string, number>);
  const ofData = causeOf(task, tree)?.what === "data";
  return Object.entries(task.sources as Record<string, string>).map(([name, from]) => {
    if (from === "") return { name, from, then: 0, now: 0, other: ofData };
    const given = inputs.filter(([path]) => path === from || path.startsWith(`${from}.`));
    const other = given.some(([path, order]) => tree.states[path]?.stale || tree.states[path]?.order !== order);
    const then = Math.max(0, ...given.map(([, order]) => order));
    const now = Math.max(0, ...given.map(([path]) => tree.states[path]?.order ?? 0));
    return { name, from, then, now, other };
  });
}

/** Those that are given the result of one of these tasks, or are skipped with it, and what uses them in turn. */
export function usersOf(paths: Iterable<string>, tasks: readonly Task[], all = flat(tasks)): ReadonlySet<string> {
  const users = new Map<string, string[]>();
  const add = (of: string, user: string) => users.set(of, [...(users.get(of) ?? []), user]);
  const byPath = new Map(all.map((task) => [task.path, task]));
  for (const task of all) {
    for (const from of Object.values(task.sources as Record<string, string>))
      for (const giver of byPath.has(from) ? giversOf(byPath.get(from)!) : []) add(giver, task.path);
    if (task.gate) add(task.gate, task.path);
  }
  const found = new Set(paths);
  for (const path of found) for (const user of users.get(path) ?? []) found.add(user);
  return found;
}

/** Whose results make up what a task has written: its own, or of a group those of what is below. */
const giversOf = (task: Task): string[] => (works(task) ? [task.path] : task.tasks.flatMap(giversOf));

/** Which results other data would make stale: those of tasks that read what has changed, and of all that use them. */
export function staleBy(changed: ReadonlySet<string>, { tasks, states }: Tree): string[] {
  if (changed.size === 0) return [];
  const all = flat(tasks);
  const reads = ({ sources }: Task) =>
    Object.entries(sources as Record<string, string>).some(
      ([name, from]) => from === "" && (name === "data" || changed.has(name)),
    );
  const first = all.filter(reads).map((task) => task.path);
  return [...usersOf(first, tasks, all)].filter((path) => ["ok", "skipped"].includes(states[path]?.status ?? ""));
}

/** Whether it has a function: a group has none, and weighs nothing. */
export const works = ({ weight, tasks }: Task) => weight > 0 || tasks.length === 0;
export const flat = (tasks: readonly Task[]): Task[] => tasks.flatMap((task) => [task, ...flat(task.tasks)]);
