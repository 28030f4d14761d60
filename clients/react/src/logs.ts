/** The logs of a workflow's tasks, as far as somebody reads them. */
import type { Core } from "./core";
import type { LogLine } from "./protocol";
import { watchOf, watchWorkflow } from "./workflowWatch";

/** So many lines of a log are kept, as by the server. */
const LINES = 1000;

export class Logs {
  readonly #logs = new Map<string, { lines: readonly LogLine[]; readers: number }>();

  /** Returns of which tasks the log is wanted, each with the number of the last line that is here. */
  asked(): Readonly<Record<string, number>> | undefined {
    const last = [...this.#logs].map(([path, { lines }]) => [path, lines.at(-1)?.[0] ?? 0] as const);
    return last.length ? Object.fromEntries(last) : undefined;
  }

  lines(path: string): readonly LogLine[] {
    return this.#logs.get(path)?.lines ?? NO_LINES;
  }

  /** Takes a reader more or less; returns whether that changes what is wanted. */
  change(path: string, by: 1 | -1): boolean {
    const log = this.#logs.get(path) ?? { lines: NO_LINES, readers: 0 };
    log.readers += by;
    if (log.readers > (by === 1 ? 1 : 0)) return false;
    if (by === 1) this.#logs.set(path, log);
    else this.#logs.delete(path);
    return true;
  }

  /** Takes lines; returns whether some of them are new. */
  add(path: string, told: readonly LogLine[]): boolean {
    const log = this.#logs.get(path);
    const last = log?.lines.at(-1)?.[0] ?? 0;
    const more = told.filter(([number]) => number > last);
    if (log === undefined || more.length === 0) return false;
    log.lines = [...log.lines, ...more].slice(-LINES);
    return true;
  }
}

const NO_LINES: readonly LogLine[] = [];

/** Returns what is known of the log of a task that `watchLog` watches. */
export const logOf = (core: Core, id: string, path: string): readonly LogLine[] =>
  watchOf(core, id)?.logs?.lines(path) ?? NO_LINES;

/** Calls `listener` whenever a workflow or this task's log has changed; returns how to stop that. */
export function watchLog(core: Core, id: string, path: string, listener: () => void): () => void {
  const stop = watchWorkflow(core, id, listener);
  const watch = watchOf(core, id)!;
  const logs = (watch.logs ??= new Logs());
  const change = (by: 1 | -1) => {
    if (!logs.change(path, by)) return;
    if (watch.phase === "told" || watch.phase === "asked") watch.phase = "more";
    core.wake();
  };
  change(1);
  return () => {
    change(-1);
    stop();
  };
}
