/** A workflow that is watched: how its tasks stand, and the logs of those that somebody reads. */
import type { Connection } from "./client";
import type { ClientMessage, LogLine, ServerMessage, TopicError } from "./protocol";
import type { Status } from "./socket";
import { type Taken, Watch, workflowKey } from "./watch";
import { type Before, type HeldWorkflow, takeWorkflow, type WorkflowStatus } from "./workflow";

/** One workflow as a page sees it: the same object until something changes. */
export interface WorkflowState extends Omit<HeldWorkflow, "status" | "cursor"> {
  /** `unknown`: the server has not told of it yet. `destroyed`: there is no such one any more. */
  readonly status: WorkflowStatus | "unknown" | "destroyed";
  /** Why it is not watched. */
  readonly refused: TopicError | null;
  readonly connection: Status;
}

/** So many lines of a log are kept, as by the server. */
const LINES = 1000;

export class WorkflowWatch extends Watch {
  readonly key: string;
  #held: HeldWorkflow | null = null;
  #before: Before = {};
  #destroyed = false;
  readonly #logs = new Map<string, { lines: readonly LogLine[]; readers: number }>();

  constructor(
    readonly id: string,
    public seen: WorkflowState,
  ) {
    super();
    this.key = workflowKey(id);
  }

  /** The server's, of the last telling. */
  get cursor(): string | undefined {
    return this.#held?.cursor;
  }

  ask(): ClientMessage {
    const logs = Object.fromEntries([...this.#logs].map(([path, { lines }]) => [path, lines.at(-1)?.[0] ?? 0]));
    return {
      type: "watchWorkflowInstance",
      workflowId: this.id,
      ...(this.cursor !== undefined && { cursor: this.cursor }),
      ...(this.#logs.size && { logs }),
    };
  }

  leave(): ClientMessage {
    return { type: "unwatchWorkflowInstance", workflowId: this.id };
  }

  log(path: string): readonly LogLine[] {
    return this.#logs.get(path)?.lines ?? NO_LINES;
  }

  /** Have the log of a task told, too, until the returned function is called; `tell` is called where that changes. */
  read(path: string, tell: () => void): () => void {
    const log = this.#logs.get(path) ?? { lines: NO_LINES, readers: 0 };
    const change = (by: 1 | -1) => {
      log.readers += by;
      if (log.readers > (by === 1 ? 1 : 0)) return;
      if (by === 1) this.#logs.set(path, log);
      else this.#logs.delete(path);
      if (this.phase === "told" || this.phase === "asked") this.phase = "more";
      tell();
    };
    change(1);
    return () => change(-1);
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
        return this.#add(message.path, message.lines);
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

  show({ status: connection, paused }: Connection): boolean {
    const frozen = paused && this.seen.status !== "unknown";
    if (frozen && this.seen.connection === connection) return false;
    this.seen = frozen ? { ...this.seen, connection } : { ...this.#now(), refused: this.error, connection };
    return true;
  }

  #now(): Omit<WorkflowState, "refused" | "connection"> {
    if (this.#held === null) return this.#destroyed ? { ...UNKNOWN, status: "destroyed" } : UNKNOWN;
    const { cursor: _, ...held } = this.#held;
    return this.#destroyed ? { ...held, status: "destroyed" } : held;
  }

  #add(path: string, told: readonly LogLine[]): Taken {
    const log = this.#logs.get(path);
    const last = log?.lines.at(-1)?.[0] ?? 0;
    const more = told.filter(([number]) => number > last);
    if (log === undefined || more.length === 0) return "same";
    log.lines = [...log.lines, ...more].slice(-LINES);
    return "changed";
  }
}

const NO_LINES: readonly LogLine[] = [];

/** Of a workflow that nobody watches. */
export const UNKNOWN: WorkflowState = {
  ...{ status: "unknown", refused: null, connection: "idle" },
  ...{ rev: 0, tasks: [], statuses: {}, progress: 0, execution: "", path: "", error: null, because: "" },
};
