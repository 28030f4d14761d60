/** What has happened to a workflow between two states of it, each once; what was so when it was first seen is not told. */
import { hasEnded, type TaskError, type TaskState, taskOf } from "./workflow";
import type { WorkflowState } from "./workflowWatch";

export interface Callbacks {
  onTaskStart?: ((path: string, task: TaskState) => void) | undefined;
  /** It is ok, skipped, failed or cancelled. */
  onTaskEnd?: ((path: string, task: TaskState) => void) | undefined;
  onComplete?: ((state: WorkflowState) => void) | undefined;
  /** It has failed or was cancelled; `error` is null where it was cancelled, or may not be seen. */
  onError?: ((error: TaskError | null, state: WorkflowState) => void) | undefined;
}

/** Calls what is to be called; states that were merged on the way are told as one. */
export function tellMoments(before: WorkflowState, after: WorkflowState, callbacks: Callbacks): void {
  if (before.status === "unknown" || before.rev === after.rev) return;
  const { onTaskStart, onTaskEnd, onComplete, onError } = callbacks;
  if (onTaskStart || onTaskEnd)
    for (const [path, task] of Object.entries(after.statuses)) {
      const was = taskOf(before.statuses, path);
      if (was === task) continue;
      if (hasBegun(was, task)) onTaskStart?.(path, task);
      if (hasEndedSince(was, task)) onTaskEnd?.(path, task);
    }
  if (before.status === after.status && before.execution === after.execution) return;
  if (after.status === "done") onComplete?.(after);
  else if (after.status === "failed" || after.status === "cancelled") onError?.(after.error, after);
}

/** A later attempt is the same task; one that began and ended between two states has begun. */
function hasBegun(was: TaskState, now: TaskState): boolean {
  if (now.status === "running") return was.status !== "running" || (now.attempt ?? 1) < (was.attempt ?? 1);
  return now.started !== undefined && hasEndedSince(was, now) && was.status !== "running";
}

function hasEndedSince(was: TaskState, now: TaskState): boolean {
  return hasEnded(now) && (was.status !== now.status || was.ended !== now.ended);
}
