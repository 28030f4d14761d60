/** A topic that is watched: the answer of an operation, patched. */
import type { Core } from "./core";
import { type Live, plain } from "./plain";
import type { ClientMessage, ServerMessage, TopicError } from "./protocol";
import type { Status } from "./socket";
import { type Held, take } from "./state";
import { type Taken, Watch } from "./watch";

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
    this.key = topic;
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

  show(connection: Status): void {
    const { state = null, at = null, awaySince = null } = this.#held ?? {};
    this.seen = { state: state && (plain(state) as Live<unknown>), at, awaySince, error: this.error, connection };
  }
}

/** Of a topic that nobody watches. */
export const NOTHING: Topic<never> = { state: null, at: null, awaySince: null, error: null, connection: "idle" };

/** Returns what is seen of a topic that nobody watches: the same object while the connection is so. */
const nothingAt = (connection: Status): Topic<never> => (nothing[connection] ??= { ...NOTHING, connection });
const nothing: Partial<Record<Status, Topic<never>>> = {};

/** Returns a topic as it is now. */
export function topicOf<T>(core: Core, topic: string): Topic<T> {
  const watch = core.watched(topic);
  return (watch instanceof TopicWatch ? watch.seen : nothingAt(core.connection.status)) as Topic<T>;
}

/** Calls `listener` whenever a topic has changed; returns how to stop that. */
export function watchTopic(core: Core, topic: string, listener: () => void): () => void {
  const make = () => new TopicWatch(topic, nothingAt(core.connection.status));
  return core.watch(topic, make, listener);
}
