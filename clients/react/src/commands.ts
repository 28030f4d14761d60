/** What the server is asked to do, until it has answered: what a cut connection has left open is sent again. */
import type { Answer, Command, ServerMessage } from "./protocol";

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

  get size(): number {
    return this.#asked.size;
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

/** Returns a random UUID; `crypto.randomUUID` is there on secure pages alone. */
export function newRef(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6]! & 15) | 64;
  bytes[8] = (bytes[8]! & 63) | 128;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
