/** The messages of `flows.live.1`, as docs/live.md tells them; each is a JSON object in a text frame. */
import type { TaskError, TaskNode, TaskState, WorkflowStatus } from "./workflow";

export const SUBPROTOCOL = "flows.live.1";
/** Topics and workflows of one connection. */
export const MOST_WATCHES = 100;
/** Messages to the server in a second: it closes at more than 20. */
export const MOST_MESSAGES = 15;

/** How the server closes. */
export const NO_TOKEN = 4401;
/** The server goes: come back after a random 0 to 5 s. */
export const GOING = 1012;

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [name: string]: Json;
}

/** What else is executed with a task: what it needs and is missing, all below it, all that uses it. */
export interface ExecuteOptions {
  readonly argument?: unknown;
  readonly missing?: "error" | "run";
  readonly subtree?: boolean;
  readonly downstream?: boolean;
}

/** What is answered; with its `ref`, one that is sent again is done once. */
export type Command =
  | ({ type: "executeTask"; workflowId: string; taskPath: string; ref: string } & ExecuteOptions)
  | { type: "executeAllTasks"; workflowId: string; argument?: unknown; ref: string }
  | { type: "cancelExecution"; workflowId: string; ref: string }
  | { type: "getResult"; workflowId: string; taskPath: string; ref: string };

export type ClientMessage =
  | { type: "authenticate"; token: string }
  | { type: "watchTopic"; topic: string; cursor?: string }
  | { type: "unwatchTopic"; topic: string }
  | {
      type: "watchWorkflowInstance";
      workflowId: string;
      cursor?: string;
      /** Of which tasks the log is wanted, each with the number of the last line that is here. */
      logs?: Readonly<Record<string, number>>;
    }
  | { type: "unwatchWorkflowInstance"; workflowId: string }
  | Command;

export type ErrorCode =
  "unauthenticated" | "forbidden" | "unknown" | "invalid" | "too_many" | "too_large" | "busy" | "not_ready" | "again";

/** What is refused with one of these is asked for again after a while. */
export const FOR_NOW: ReadonlySet<string> = new Set<ErrorCode>(["again", "busy", "too_many"]);

/** Why something is not watched any more, or was not done; the message is a sentence for people. */
export interface TopicError {
  readonly code: ErrorCode;
  readonly message: string;
}

/** Times in ms. `from` 0: `state` is all of it; else it is a merge patch of the state of revision `from`. */
export interface TopicState {
  readonly type: "topicState";
  readonly topic: string;
  readonly from: number;
  readonly rev: number;
  readonly cursor: string;
  readonly at: number;
  readonly awaySince?: number;
  readonly state: JsonObject;
}

/** `from` 0: these are all tasks; else those that have changed since that revision, each as it is now. */
export interface TasksStatuses {
  readonly type: "setTasksStatuses";
  readonly id: string;
  readonly from: number;
  readonly rev: number;
  readonly cursor: string;
  readonly statuses: Readonly<Record<string, TaskState>>;
  readonly progress: number;
}

/** How the instance stands as a whole. */
export interface WorkflowTold {
  readonly type: "setWorkflowStatus";
  readonly id: string;
  readonly status: WorkflowStatus;
  readonly execution?: string;
  readonly path?: string;
  readonly error?: TaskError;
  readonly because?: string;
}

/** One telling of a workflow: the first two where they have changed, then the last, which always comes. */
export type WorkflowMessage =
  | { type: "workflowDescription"; id: string; tasks: readonly TaskNode[] }
  | WorkflowTold
  | TasksStatuses
  | { type: "taskLog"; id: string; path: string; lines: readonly LogLine[] }
  | { type: "workflowDestroyed"; id: string };

/** A number, ms since 1970, and a text. */
export type LogLine = readonly [number: number, at: number, text: string];

export type Answer =
  | { type: "accepted"; ref: string; execution?: string }
  | { type: "result"; ref: string; result: unknown }
  | { type: "executionError"; ref: string; id?: string; taskPath?: string; error: TaskError };

export type ServerMessage =
  | TopicState
  | WorkflowMessage
  | Answer
  | { type: "hello"; protocol: number; beat: number; auth: "token" | "none" }
  | { type: "tokenEnds"; ms: number }
  | { type: "appError"; error: TopicError; topic?: string; id?: string; ref?: string }
  | { type: "beat" };

/** What reads JSON; one of your own may keep what `JSON.parse` rounds. */
export type Parse = (text: string) => unknown;

/** Returns the message of a frame, or null where it is none: a newer server may say what we do not know. */
export function readMessage(text: string, parse: Parse = JSON.parse): ServerMessage | null {
  try {
    const message = parse(text) as ServerMessage | null;
    return message?.type ? message : null;
  } catch {
    return null;
  }
}
