/** What the server is asked to do, until it has answered: what a cut connection has left open is sent again. */
import type { Core } from "./core";
import type { Answer, Command, ExecuteOptions, ServerMessage } from "./protocol";

/** A command was refused; the message is a sentence for people, the code one of `ErrorCode` or an error's type. */
export class Refused extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

interface Asked {
  readonly command: Command;
  readonly done: (answer: Answer) => void;
  readonly failed: (error: Refused) => void;
  told: boolean;
}

export class Commands {
  readonly #asked = new Map<string, Asked>();

  /** Whether something is not answered yet. */
  get isWaiting(): boolean {
    return this.#asked.size > 0;
  }

  add(command: Command): Promise<Answer> {
    return new Promise((done, failed) => {
      this.#asked.set(command.ref, { command, done, failed, told: false });
    });
  }

  /** Returns the next that the server was not told of. */
  next(): Command | undefined {
    for (const asked of this.#asked.values()) {
      if (asked.told) continue;
      asked.told = true;
      return asked.command;
    }
    return undefined;
  }

  /** The server knows nothing of what was said on the last connection. */
  tellAgain(): void {
    for (const asked of this.#asked.values()) asked.told = false;
  }

  answer(ref: string, message: ServerMessage): void {
    const asked = this.#asked.get(ref);
    if (asked === undefined || !asked.told) return;
    this.#asked.delete(ref);
    if (message.type === "accepted" || message.type === "result") asked.done(message);
    else if (message.type === "appError") asked.failed(new Refused(message.error.code, message.error.message));
    else if (message.type === "executionError") asked.failed(new Refused(message.error.type, message.error.message));
  }
}

/** Execute a task, a group, or `#` for all of a workflow; returns the execution's id. */
export async function execute(core: Core, id: string, path: string, options: ExecuteOptions = {}): Promise<string> {
  const to = { workflowId: id, ref: newRef() };
  const { argument } = options;
  const answer = await ask(
    core,
    path === "#"
      ? { type: "executeAllTasks", ...to, ...(argument !== undefined && { argument }) }
      : { type: "executeTask", taskPath: path, ...to, ...options },
  );
  return answer.type === "accepted" ? (answer.execution ?? "") : "";
}

/** Cancel the execution that is under way. */
export async function cancel(core: Core, id: string): Promise<void> {
  await ask(core, { type: "cancelExecution", workflowId: id, ref: newRef() });
}

/** Returns the result of a task. */
export async function resultOf(core: Core, id: string, path: string): Promise<unknown> {
  const answer = await ask(core, { type: "getResult", workflowId: id, taskPath: path, ref: newRef() });
  return answer.type === "result" ? answer.result : undefined;
}

/** Asks, once; rejects with `Refused`. */
function ask(core: Core, command: Command): Promise<Answer> {
  core.commands ??= new Commands();
  const answer = core.commands.add(command);
  core.wake();
  return answer;
}

/** Returns a random UUID; `crypto.randomUUID` is there on secure pages alone. */
export function newRef(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6]! & 15) | 64;
  bytes[8] = (bytes[8]! & 63) | 128;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
