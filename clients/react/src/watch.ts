/** One thing that is watched, and by whom: what the server is told of it, and what comes of what it says. */
import type { ClientMessage, ServerMessage, TopicError } from "./protocol";
import type { Status } from "./socket";

export type Timer = ReturnType<typeof setTimeout> | undefined;

/** What a message has changed: `gap`: it cannot follow what is held. `part`: more of it comes. */
export type Taken = "same" | "changed" | "gap" | "part";

export abstract class Watch {
  /** By this it is known among all that are watched. */
  abstract readonly key: string;
  /** What a page sees of it: the same object until something changes. */
  abstract seen: { readonly connection: Status };
  readonly listeners = new Set<() => void>();
  error: TopicError | null = null;
  /**
   * `new`: the server has to be told. `told`. `more`: is told, and has to be told something else. `whole`: has to be
   * asked for all. `asked`: was. `refused`.
   */
  phase: "new" | "told" | "more" | "whole" | "asked" | "refused" = "new";
  /** How often in a row it was refused for now. */
  refusals = 0;
  /** Until it is asked for again. */
  again: Timer;
  /** Until it is forgotten, since nobody watches it. */
  leaving: Timer;

  /** Begins anew over a new connection. */
  begin(): void {
    this.phase = "new";
  }

  /** Returns what asks the server for it; `whole`: for all of it, whatever is held. */
  abstract ask(whole: boolean): ClientMessage;
  abstract leave(): ClientMessage;
  abstract take(message: ServerMessage): Taken;
  /** Lets it be seen as it is. */
  abstract show(connection: Status): void;
}

/** Topics are their own keys; no topic begins so. */
export const workflowKey = (id: string | undefined) => `#${id}`;
