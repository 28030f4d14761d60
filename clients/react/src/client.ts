/** All that a page watches, over one socket: it comes back by itself, and goes on where it was. */
import { type Live, plain } from "./plain";
import { type ErrorCode, MOST_MESSAGES, MOST_TOPICS, type ServerMessage, type TopicError } from "./protocol";
import { ReconnectingSocket, type SocketOptions, type Status } from "./socket";
import { type Held, take } from "./state";

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

/** The connection as a page sees it: the same object until something changes. */
export interface Connection {
  readonly status: Status;
  /** Since when, in ms since 1970. */
  readonly since: number;
  /** Whether what is shown stands still. */
  readonly paused: boolean;
}

interface Watch {
  readonly topic: string;
  readonly listeners: Set<() => void>;
  held: Held | null;
  error: TopicError | null;
  seen: Topic<unknown>;
  /** `new`: the server has to be told. `told`. `whole`: has to be asked for all. `asked`: was. `refused`. */
  phase: "new" | "told" | "whole" | "asked" | "refused";
  /** How often in a row it was refused for now. */
  refusals: number;
  /** Until it is asked for again. */
  again: Timer;
  /** Until it is forgotten, since nobody watches it. */
  leaving: Timer;
}

type Timer = ReturnType<typeof setTimeout> | undefined;

/** A topic stays for so long, in ms, after its last watcher: back and forth is instant. */
const KEPT = 10_000;
/** What is refused for now is asked for again, in ms. */
const FIRST_PAUSE = 1000;
const LONGEST_PAUSE = 30_000;
const FOR_NOW: ReadonlySet<ErrorCode> = new Set<ErrorCode>(["again", "busy", "too_many"]);

export class FlowsClient {
  connection: Connection = IDLE;
  #nothing: Topic<never> = NOTHING;
  readonly #watches = new Map<string, Watch>();
  /** What the server still watches for us. */
  readonly #unwanted = new Set<string>();
  readonly #listeners = new Set<() => void>();
  readonly #socket: ReconnectingSocket;
  /** When the messages of the last second were sent. */
  #sent: number[] = [];
  #later: Timer;

  constructor(readonly options: SocketOptions) {
    this.#socket = new ReconnectingSocket(options, {
      opened: () => this.#begin(),
      heard: (message) => this.#hear(message),
      moved: () => this.#moved(),
    });
  }

  /** Returns a topic as it is now. */
  topic<T>(topic: string): Topic<T> {
    return (this.#watches.get(topic)?.seen ?? this.#nothing) as Topic<T>;
  }

  /** Calls `listener` whenever a topic has changed; returns how to stop that. */
  watch(topic: string, listener: () => void): () => void {
    const watch = this.#watches.get(topic) ?? this.#add(topic);
    const own = () => listener(); // the same function may watch twice
    watch.listeners.add(own);
    clearTimeout(watch.leaving);
    this.#socket.open();
    this.#tell();
    return () => {
      if (!watch.listeners.delete(own) || watch.listeners.size > 0) return;
      watch.leaving = setTimeout(() => this.#forget(watch), KEPT);
    };
  }

  /** Calls `listener` whenever the connection has changed; returns how to stop that. */
  listen(listener: () => void): () => void {
    const own = () => listener();
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  /** Let what is shown stand still, or go on with what has changed meanwhile. */
  setPaused = (paused: boolean): void => {
    if (paused === this.connection.paused) return;
    this.connection = { ...this.connection, paused };
    for (const listener of this.#listeners) listener();
    for (const watch of this.#watches.values()) this.#show(watch);
  };

  /** Connect at once, where the next try is still to come: somebody has logged in, or has pressed a button. */
  retry = (): void => this.#socket.retry();

  /** Disconnect, and forget what nobody watches. */
  close(): void {
    for (const watch of this.#watches.values()) if (watch.listeners.size === 0) this.#forget(watch);
    this.#disconnect();
  }

  /** Connect after `close`, if something is watched; to watch something does so too. */
  open(): void {
    if (this.#watches.size > 0) this.#socket.open();
  }

  #add(topic: string): Watch {
    for (const watch of this.#watches.values()) {
      if (this.#watches.size < MOST_TOPICS) break;
      if (watch.listeners.size === 0) this.#forget(watch);
    }
    const none = { held: null, error: null, refusals: 0, again: undefined, leaving: undefined };
    const watch: Watch = { topic, listeners: new Set(), seen: this.#nothing, phase: "new", ...none };
    this.#watches.set(topic, watch);
    return watch;
  }

  #forget(watch: Watch): void {
    clearTimeout(watch.leaving);
    clearTimeout(watch.again);
    this.#watches.delete(watch.topic);
    if (watch.phase !== "new" && watch.phase !== "refused") this.#unwanted.add(watch.topic);
    if (this.#watches.size === 0) this.#disconnect();
    else this.#tell();
  }

  #disconnect(): void {
    clearTimeout(this.#later);
    this.#socket.close();
  }

  #begin(): void {
    this.#unwanted.clear();
    for (const watch of this.#watches.values()) {
      clearTimeout(watch.again);
      watch.phase = "new";
    }
    this.#tell();
  }

  /** Tell the server what is wanted, as fast as it may be told. */
  #tell(): void {
    clearTimeout(this.#later);
    while (this.#socket.ready) {
      const next = this.#next();
      if (next === undefined) return;
      const now = Date.now();
      this.#sent = this.#sent.filter((at) => now - at < 1000);
      const [first] = this.#sent;
      if (first !== undefined && this.#sent.length >= MOST_MESSAGES) {
        this.#later = setTimeout(() => this.#tell(), first + 1000 - now);
        return;
      }
      this.#sent.push(now);
      this.#say(next);
    }
  }

  /** Returns the topic that the server has to be told of next; one that goes makes room for one that comes. */
  #next(): string | undefined {
    for (const topic of this.#unwanted) return topic;
    for (const { topic, phase } of this.#watches.values()) if (phase === "new" || phase === "whole") return topic;
    return undefined;
  }

  #say(topic: string): void {
    this.#unwanted.delete(topic);
    const watch = this.#watches.get(topic);
    if (watch === undefined) {
      this.#socket.send({ type: "unwatchTopic", topic });
      return;
    }
    const whole = watch.phase === "whole";
    watch.phase = whole ? "asked" : "told";
    const cursor = whole ? undefined : watch.held?.cursor;
    this.#socket.send({ type: "watchTopic", topic, ...(cursor !== undefined && { cursor }) });
  }

  #hear(message: ServerMessage): void {
    if (message.type !== "topicState" && message.type !== "appError") return;
    const watch = message.topic === undefined ? undefined : this.#watches.get(message.topic);
    if (watch === undefined || watch.phase === "new" || watch.phase === "refused") return;
    if (message.type === "appError") this.#refuse(watch, message.error);
    else {
      const held = take(watch.held, message);
      if (held === null) {
        // Until the whole comes, what was under way before it cannot follow either.
        if (watch.phase === "told") watch.phase = "whole";
        this.#tell();
        return;
      }
      watch.phase = "told";
      if (held === watch.held && watch.error === null) return;
      Object.assign(watch, { held, error: null, refusals: 0 });
    }
    this.#show(watch);
  }

  #refuse(watch: Watch, error: TopicError): void {
    watch.phase = "refused";
    watch.error = error;
    if (!FOR_NOW.has(error.code)) return;
    const pause = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** watch.refusals++);
    watch.again = setTimeout(
      () => {
        watch.phase = "new";
        this.#tell();
      },
      pause * (0.75 + Math.random() / 4),
    );
  }

  #moved(): void {
    const { status } = this.#socket;
    this.connection = { ...this.connection, status, since: Date.now() };
    this.#nothing = { ...NOTHING, connection: status };
    for (const listener of this.#listeners) listener();
    for (const watch of this.#watches.values()) this.#show(watch);
  }

  /** Lets a topic be seen as it is; while paused, what is seen of it stays, but for the connection. */
  #show(watch: Watch): void {
    const { held, error, seen } = watch;
    const { status: connection, paused } = this.connection;
    const frozen = paused && seen.state !== null;
    if (frozen && seen.connection === connection) return;
    watch.seen = frozen
      ? { ...seen, connection }
      : {
          state: held && (plain(held.state) as Live<unknown>),
          at: held?.at ?? null,
          awaySince: held?.awaySince ?? null,
          error,
          connection,
        };
    for (const listener of watch.listeners) listener();
  }
}

/** Of a topic that nobody watches. */
export const NOTHING: Topic<never> = { state: null, at: null, awaySince: null, error: null, connection: "idle" };
/** Of a client that has watched nothing yet. */
export const IDLE: Connection = { status: "idle", since: 0, paused: false };
