/** A topic that is watched: the answer of an operation, patched. */
import type { Connection } from "./client";
import { type Live, plain } from "./plain";
import type { ClientMessage, ServerMessage, TopicError } from "./protocol";
import type { Status } from "./socket";
import { type Held, take } from "./state";
import { type Taken, topicKey, Watch } from "./watch";

/** One topic as a page sees it: the same object until something changes. Times are ms since 1970. */
export interface Topic<T> {
  /** The last that was told; null before the first. */
  readonly state: Live<T> | null;
  /** When the server has read it. */
  readonly at: number | null;
  /** Since when the server's Redis does not answer: the state is the last before. */
  readonly awaySince: number | null;
  /** Why it is not watched. */
  readonly error: TopicError | null;
  readonly connection: Status;
}

export class TopicWatch extends Watch {
  readonly key: string;
  #held: Held | null = null;

  constructor(
    readonly topic: string,
    public seen: Topic<unknown>,
  ) {
    super();
    this.key = topicKey(topic);
  }

  ask(whole: boolean): ClientMessage {
    const cursor = whole ? undefined : this.#held?.cursor;
    return { type: "watchTopic", topic: this.topic, ...(cursor !== undefined && { cursor }) };
  }

  leave(): ClientMessage {
    return { type: "unwatchTopic", topic: this.topic };
  }

  take(message: ServerMessage): Taken {
    if (message.type !== "topicState") return "part";
    const held = take(this.#held, message);
    if (held === null) return "gap";
    if (held === this.#held) return "same";
    this.#held = held;
    return "changed";
  }

  show({ status: connection, paused }: Connection): boolean {
    const frozen = paused && this.seen.state !== null;
    if (frozen && this.seen.connection === connection) return false;
    const held = this.#held;
    this.seen = frozen
      ? { ...this.seen, connection }
      : {
          state: held && (plain(held.state) as Live<unknown>),
          at: held?.at ?? null,
          awaySince: held?.awaySince ?? null,
          error: this.error,
          connection,
        };
    return true;
  }
}

/** Of a topic that nobody watches. */
export const NOTHING: Topic<never> = { state: null, at: null, awaySince: null, error: null, connection: "idle" };
