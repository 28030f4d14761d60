/** What is held of one workflow, and how a telling changes it: pure, no socket, no React. */
import type { TasksStatuses, WorkflowTold } from "./protocol";

export type TaskStatus = "inactive" | "queued" | "running" | "ok" | "skipped" | "failed" | "cancelled";
export type WorkflowStatus = "idle" | "working" | "done" | "failed" | "cancelled";

export interface TaskError {
  readonly type: string;
  readonly message: string;
}

/** How one task stands; times are ms since 1970, by the server's clock. */
export interface TaskState {
  readonly status: TaskStatus;
  /** The last that it has told of itself, 0 to 1; `rollUp` adds what is below it. */
  readonly progress?: number;
  readonly message?: string;
  readonly queued?: number;
  readonly started?: number;
  readonly ended?: number;
  readonly attempt?: number;
  /** Whether it would be given something else now than it was. */
  readonly stale?: boolean;
  readonly error?: TaskError;
  /** What has brought its status about, where that is not its own doing. */
  readonly because?: string;
  /** The size of its result, which may be an earlier one. */
  readonly bytes?: number;
}

/** A task as it was declared, with what stands below it. */
export interface TaskNode {
  readonly name: string;
  readonly path: string;
  readonly description?: string;
  /** How much it counts for progress; a group, which does nothing itself, weighs 0. */
  readonly weight: number;
  readonly order?: "parallel" | "sequence";
  readonly queue?: string;
  readonly tasks: readonly TaskNode[];
}

export type Statuses = Readonly<Record<string, TaskState>>;

/** What is held of a workflow at one revision; `cursor` is the server's, and only handed back. */
export interface HeldWorkflow {
  readonly rev: number;
  readonly cursor: string;
  readonly tasks: readonly TaskNode[];
  readonly statuses: Statuses;
  readonly progress: number;
  readonly status: WorkflowStatus;
  /** The last execution; empty: there was none. */
  readonly execution: string;
  /** The task that has failed, with `error`. */
  readonly path: string;
  readonly error: TaskError | null;
  /** Why it was cancelled. */
  readonly because: string;
}

/** What a telling may say before its statuses. */
export interface Before {
  tasks?: readonly TaskNode[];
  told?: WorkflowTold;
}

/**
 * Returns what is held after a telling; the same object where it tells nothing new, or null where it cannot follow what
 * is held: then the server is asked again, with the cursor that is held.
 *
 * Each status is whole, so that a telling that begins before what is held follows it too.
 */
export function takeWorkflow(held: HeldWorkflow | null, before: Before, message: TasksStatuses): HeldWorkflow | null {
  const follows = held !== null && epochOf(held.cursor) === epochOf(message.cursor);
  if (follows && message.rev <= held.rev) return held;
  if (message.from !== 0 && (!follows || message.from > held.rev)) return null;
  const { rev, cursor, from, progress, statuses } = message;
  const known = held?.statuses ?? {};
  const told = Object.fromEntries(Object.entries(statuses).map(([path, task]) => [path, same(known[path], task)]));
  const { type: _, id: __, ...is } = before.told ?? ({} as Partial<WorkflowTold>);
  return {
    ...(before.told || held === null ? { ...IDLE, ...is } : held),
    ...{ rev, cursor, progress },
    tasks: before.tasks ? same(held?.tasks, before.tasks) : (held?.tasks ?? []),
    statuses: from === 0 ? told : Object.keys(told).length ? { ...known, ...told } : known,
  };
}

/** Of a workflow that nobody has executed. */
export const IDLE: Pick<HeldWorkflow, "status" | "execution" | "path" | "error" | "because"> = {
  ...{ status: "idle", execution: "", path: "", error: null, because: "" },
};

/** What has not changed stays the same object, so that what was drawn from it need not be drawn again. */
const same = <T>(old: T | undefined, next: T): T =>
  old !== undefined && JSON.stringify(old) === JSON.stringify(next) ? old : next;

function epochOf(cursor: string): string {
  return cursor.slice(0, cursor.lastIndexOf("."));
}

const ENDED: ReadonlySet<TaskStatus> = new Set<TaskStatus>(["ok", "skipped", "failed", "cancelled"]);
export const hasEnded = ({ status }: TaskState): boolean => ENDED.has(status);

/** A task of which nothing is known. */
export const INACTIVE: TaskState = { status: "inactive" };

/** Returns how a task stands. */
export function taskOf(statuses: Statuses, path: string): TaskState {
  return Object.hasOwn(statuses, path) ? statuses[path]! : INACTIVE;
}
