/** Hooks for workflows: each draws again when what it returns has changed, and not otherwise. */
import { useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore } from "react";
import { cancel, execute, Refused, resultOf } from "./commands";
import type { Core } from "./core";
import { logOf, watchLog } from "./logs";
import { type Callbacks, tellMoments } from "./moments";
import type { ExecuteOptions, LogLine } from "./protocol";
import { useFlowsClient } from "./react";
import type { TaskResults } from "./results";
import { type Expected, guess, runningOf, type Seen } from "./smooth";
import { hasEnded, INACTIVE, type TaskState, taskOf } from "./workflow";
import { UNKNOWN, watchWorkflow, workflowOf, type WorkflowState } from "./workflowWatch";

/** Returns a workflow as it is now; null watches nothing. */
export const useWorkflow = (id: string | null): WorkflowState => useWatched(id, workflowOf, UNKNOWN);

/**
 * Calls back what happens to a workflow while it is watched, each thing once, also what has happened while the connection
 * was cut; what was so when it was first seen is not told.
 */
export function useMoments(id: string | null, callbacks: Callbacks): void {
  const client = useFlowsClient();
  const latest = useRef(callbacks);
  useEffect(() => {
    latest.current = callbacks;
  });
  useEffect(() => {
    if (id === null) return;
    let before = workflowOf(client, id);
    return watchWorkflow(client, id, () => {
      const after = workflowOf(client, id);
      tellMoments(before, after, latest.current);
      before = after;
    });
  }, [client, id]);
}

/** Returns how one task stands; only its own changes draw again. */
export function useTask(id: string | null, path: string): TaskState {
  return useWatched(id, (client, id) => taskOf(workflowOf(client, id).statuses, path), INACTIVE);
}

/** Returns the last lines of a task's log, at most 1,000, each with its number and when it was written. */
export function useTaskLog(id: string | null, path: string | null): readonly LogLine[] {
  const client = useFlowsClient();
  const subscribe = useCallback(
    (listener: () => void) => (id === null || path === null ? () => {} : watchLog(client, id, path, listener)),
    [client, id, path],
  );
  const now = () => (id === null || path === null ? NO_LINES : logOf(client, id, path));
  return useSyncExternalStore(subscribe, now, () => NO_LINES);
}

/** Returns the result of a task, the earlier one while it runs again; undefined: none is there, or may be seen. */
export function useTaskResult<Path extends keyof TaskResults>(
  id: string | null,
  path: Path,
): TaskResults[Path] | undefined;
export function useTaskResult<T = unknown>(id: string | null, path: string): T | undefined;
export function useTaskResult(id: string | null, path: string): unknown {
  const client = useFlowsClient();
  const task = useTask(id, path);
  const [got, setGot] = useState<{ of: string; result: unknown } | null>(null);
  const of = `${id} ${path}`;
  const have = got?.of === of;
  const over = hasEnded(task);
  const wanted = task.bytes !== undefined || task.status === "ok";
  useEffect(() => {
    if (id === null || !wanted || (have && !over)) return;
    let gone = false;
    resultOf(client, id, path).then(
      (result) => gone || setGot({ of, result }),
      () => gone || setGot(null), // `useTask` says whether there is one
    );
    return () => {
      gone = true;
    };
  }, [client, id, path, of, have && !over, wanted, over, task.ended]);
  return have && wanted ? got.result : undefined;
}

/** What a page may do with a workflow; each returns whether it was taken: `error` says why not. */
export interface Execute {
  all(argument?: unknown): Promise<boolean>;
  task(path: string, options?: ExecuteOptions): Promise<boolean>;
  cancel(): Promise<boolean>;
  /** Whether the server has not answered yet. */
  readonly pending: boolean;
  /** Why the last was refused. */
  readonly error: Refused | null;
}

export function useExecute(id: string | null): Execute {
  const client = useFlowsClient();
  const [pending, setPending] = useState(0);
  const [error, setError] = useState<Refused | null>(null);
  const acts = useMemo(() => {
    const ask = async (what: (id: string) => Promise<unknown>) => {
      if (id === null) return false;
      setPending((n) => n + 1);
      setError(null);
      try {
        await what(id);
        return true;
      } catch (refused) {
        setError(refused instanceof Refused ? refused : new Refused("invalid", String(refused)));
        return false;
      } finally {
        setPending((n) => n - 1);
      }
    };
    return {
      all: (argument?: unknown) => ask((id) => execute(client, id, "#", { argument })),
      task: (path: string, options?: ExecuteOptions) => ask((id) => execute(client, id, path, options)),
      cancel: () => ask((id) => cancel(client, id)),
    };
  }, [client, id]);
  return useMemo(() => ({ ...acts, pending: pending > 0, error }), [acts, pending, error]);
}

/** A guess is drawn so often, in ms. */
const FRAME = 100;

/**
 * Returns a progress, 0 to 1, that moves between reports of tasks of which it is known how long they take, about; it
 * never says that a task is over before it is, and goes back only where what is told does. Who wants less motion sees what
 * is reported.
 */
export function useSmoothProgress(state: WorkflowState, { expected }: { expected: Expected }): number {
  const seen = useRef<ReadonlyMap<string, Seen>>(new Map());
  const shown = useRef({ execution: "", told: 0, progress: 0 });
  const [, draw] = useState(0);
  const [still, setStill] = useState(true);
  useEffect(() => {
    const query = globalThis.matchMedia?.("(prefers-reduced-motion: reduce)");
    const look = () => setStill(query?.matches ?? false);
    look();
    query?.addEventListener("change", look);
    return () => query?.removeEventListener("change", look);
  }, []);
  const moves = !still && state.status === "working";
  useEffect(() => {
    if (!moves) return;
    const timer = setInterval(() => draw((n) => n + 1), FRAME);
    return () => clearInterval(timer);
  }, [moves]);
  if (!moves) return state.progress;
  const now = Date.now();
  seen.current = runningOf(state, expected, seen.current, now);
  const guessed = guess(state, expected, seen.current, now);
  // Where what is told goes back, tasks are to run again: so an execution begins.
  const { execution, progress: told } = state;
  const same = shown.current.execution === execution && shown.current.told <= told;
  shown.current = { execution, told, progress: same ? Math.max(shown.current.progress, guessed) : guessed };
  return shown.current.progress;
}

/** Watches a workflow, and returns what is picked of it. */
function useWatched<T>(id: string | null, pick: (client: Core, id: string) => T, none: T): T {
  const client = useFlowsClient();
  // Were it another function in each render, each would stop watching and begin again.
  const subscribe = useCallback(
    (listener: () => void) => (id === null ? () => {} : watchWorkflow(client, id, listener)),
    [client, id],
  );
  return useSyncExternalStore(
    subscribe,
    () => (id === null ? none : pick(client, id)),
    () => none,
  );
}

const NO_LINES: readonly LogLine[] = [];
