/** A workflow that is watched: how its tasks stand. */
import type { Core } from "./core";
import type { Logs } from "./logs";
import type { ClientMessage, ServerMessage, TopicError } from "./protocol";
import type { Status } from "./socket";
import { type Taken, Watch, workflowKey } from "./watch";
import { type Before, type HeldWorkflow, IDLE, takeWorkflow, type WorkflowStatus } from "./workflow";

/** One workflow as a page sees it: the same object until something changes. */
export interface WorkflowState extends Omit<HeldWorkflow, "status" | "cursor"> {
  /** `unknown`: the server has not told of it yet. `destroyed`: there is no such one any more. */
  readonly status: WorkflowStatus | "unknown" | "destroyed";
  /** Why it is not watched. */
  readonly refused: TopicError | null;
  readonly connection: Status;
}

export class WorkflowWatch extends Watch {
  readonly key: string;
  #held: HeldWorkflow | null = null;
  #before: Before = {};
  #destroyed = false;
  /** The logs of tasks that somebody reads; null: nobody ever did. */
  logs: Logs | null = null;

  constructor(
    readonly id: string,
    public seen: WorkflowState,
  ) {
    super();
    this.key = workflowKey(id);
  }

  override begin(): void {
    super.begin();
    this.#before = {}; // its statuses went with the connection
  }

  ask(): ClientMessage {
    const logs = this.logs?.asked();
    return {
      type: "watchWorkflowInstance",
      workflowId: this.id,
      ...(this.#held && { cursor: this.#held.cursor }),
      ...(logs && { logs }),
    };
  }

  leave(): ClientMessage {
    return { type: "unwatchWorkflowInstance", workflowId: this.id };
  }

  take(message: ServerMessage): Taken {
    switch (message.type) {
      case "workflowDescription":
        this.#before.tasks = message.tasks;
        return "part";
      case "setWorkflowStatus":
        this.#before.told = message;
        return "part";
      case "taskLog":
        return this.logs?.add(message.path, message.lines) ? "changed" : "same";
      case "workflowDestroyed":
        this.#destroyed = true;
        return "changed";
      case "setTasksStatuses": {
        const held = takeWorkflow(this.#held, this.#before, message);
        this.#before = {};
        if (held === null) return "gap";
        const same = held === this.#held && !this.#destroyed;
        this.#held = held;
        this.#destroyed = false;
        return same ? "same" : "changed";
      }
      default:
        return "part";
    }
  }

  show(connection: Status): void {
    this.seen = { ...this.#now(), refused: this.error, connection };
  }

  #now(): Omit<WorkflowState, "refused" | "connection"> {
    if (this.#held === null) return this.#destroyed ? { ...UNKNOWN, status: "destroyed" } : UNKNOWN;
    const { cursor: _, ...held } = this.#held;
    return this.#destroyed ? { ...held, status: "destroyed" } : held;
  }
}

/** Of a workflow that nobody watches. */
export const UNKNOWN: WorkflowState = {
  ...{ ...IDLE, status: "unknown", refused: null, connection: "idle" },
  ...{ rev: 0, tasks: [], statuses: {}, progress: 0 },
};

/** Returns what is seen of a workflow that nobody watches: the same object while the connection is so. */
const unknownAt = (connection: Status): WorkflowState => (unknown[connection] ??= { ...UNKNOWN, connection });
const unknown: Partial<Record<Status, WorkflowState>> = {};

/** Returns the watch of a workflow. */
export const watchOf = (core: Core, id: string): WorkflowWatch | undefined =>
  core.watched(workflowKey(id)) as WorkflowWatch | undefined; // such a key has no other

/** Returns a workflow as it is now. */
export const workflowOf = (core: Core, id: string): WorkflowState =>
  watchOf(core, id)?.seen ?? unknownAt(core.connection.status);

/** Calls `listener` whenever a workflow has changed; returns how to stop that. */
export const watchWorkflow = (core: Core, id: string, listener: () => void): (() => void) =>
  core.watch(workflowKey(id), () => new WorkflowWatch(id, unknownAt(core.connection.status)), listener);
