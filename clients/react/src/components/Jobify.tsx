/** A component where there is no job, or it is done; while it works its progress, and why it has failed. */
import type { ReactNode } from "react";
import { useExecute, useMoments, useWorkflow } from "../hooks";
import type { Callbacks } from "../moments";
import { FOR_NOW } from "../protocol";
import type { TaskError } from "../workflow";
import type { WorkflowState } from "../workflowWatch";
import { useWords } from "../words";
import { Progress } from "./Progress";

export interface JobifyProps extends Callbacks {
  /** Of a workflow, a run or a job; null: just the component. */
  readonly jobId: string | null;
  readonly component: () => ReactNode;
  readonly progression?: (state: WorkflowState) => ReactNode;
  /** In place of the component where it has failed, was cancelled, or cannot be watched. */
  readonly failed?: (error: TaskError, acts: { retry: () => void; state: WorkflowState }) => ReactNode;
}

export function Jobify({ jobId, component, progression, failed, ...callbacks }: JobifyProps): ReactNode {
  const state = useWorkflow(jobId);
  useMoments(jobId, callbacks);
  const { all } = useExecute(jobId);
  const words = useWords();
  if (jobId === null || state.status === "done") return component();
  const error = errorOf(state, words.gone);
  if (error !== null) {
    if (failed) return failed(error, { retry: () => void all(), state });
    return <p role="alert">{error.message}</p>;
  }
  return progression ? progression(state) : <Progress state={state} />;
}

function errorOf({ status, error, because, refused }: WorkflowState, gone: string): TaskError | null {
  if (status === "failed" || status === "cancelled") return error ?? { type: status, message: because || status };
  if (status === "destroyed") return { type: status, message: gone };
  if (refused === null || FOR_NOW.has(refused.code)) return null;
  return { type: refused.code, message: refused.message };
}
