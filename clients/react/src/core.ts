/** All that a page watches, over one socket: it comes back by itself, and goes on where it was. */
import type { Commands } from "./commands";
import { FOR_NOW, MOST_MESSAGES, MOST_WATCHES } from "./protocol";
import type { ClientMessage, ServerMessage, TopicError } from "./protocol";
import { pauseOf, ReconnectingSocket, type SocketOptions, type Status } from "./socket";
import { type Watch, workflowKey } from "./watch";

/** The connection as a page sees it: the same object until something changes. */
export interface Connection {
  readonly status: Status;
  /** Since when, in ms since 1970. */
  readonly since: number;
  /** Whether what is shown stands still. */
  readonly paused: boolean;
}

/** What is watched stays for so long, in ms, after its last watcher: back and forth is instant. */
const KEPT = 10_000;
/** What is refused for now is asked for again, in ms. */
const FIRST_PAUSE = 1000;

/**
 * What every page needs. What only some do is beside it, and comes with what uses it: topics, workflows and their logs
 * as kinds of `Watch`, and `commands`.
 */
export class Core {
  connection: Connection = IDLE;
  /** What the server is asked to do; null: it never was. */
  commands: Commands | null = null;
  readonly #watches = new Map<string, Watch>();
  /** What the server still watches for us, with what ends that. */
  readonly #unwanted = new Map<string, ClientMessage>();
  /** Called whenever the connection has changed. */
  readonly listeners = new Set<() => void>();
  /** Shows a watch in its place while what is shown stands still; returns whether something else is seen now. */
  still: ((watch: Watch, status: Status) => boolean) | null = null;
  readonly #socket: ReconnectingSocket;
  /** So many messages may be sent now: each counts for a second. */
  #left = MOST_MESSAGES;

  constructor(readonly options: SocketOptions) {
    this.#socket = new ReconnectingSocket(options, {
      opened: () => this.#begin(),
      heard: (message) => this.#hear(message),
      moved: () => this.change({ status: this.#socket.status, since: Date.now() }),
    });
  }

  /** Returns what is watched under a key. */
  watched(key: string): Watch | undefined {
    return this.#watches.get(key);
  }

  /** Connect at once, where the next try is still to come: somebody has logged in, or has pressed a button. */
  retry = (): void => this.#socket.retry();

  /** Disconnect, and forget what nobody watches. */
  close(): void {
    for (const watch of this.#watches.values()) if (watch.listeners.size === 0) this.#forget(watch);
    this.#socket.close();
  }

  /** Connect after `close`, if something is watched; to watch something does so too. */
  open(): void {
    if (this.#isNeeded()) this.#socket.open();
  }

  /** There is something new to tell: connect for it, or tell it. */
  wake(): void {
    this.#socket.open();
    this.#tell();
  }

  #isNeeded(): boolean {
    return this.#watches.size > 0 || this.commands?.isWaiting === true;
  }

  /** Calls `listener` whenever what has this key has changed, which `make` makes; returns how to stop that. */
  watch(key: string, make: () => Watch, listener: () => void): () => void {
    const watch = this.#watches.get(key) ?? this.#add(make());
    const own = () => listener(); // the same function may watch twice
    watch.listeners.add(own);
    clearTimeout(watch.leaving);
    this.wake();
    return () => {
      if (!watch.listeners.delete(own) || watch.listeners.size > 0) return;
      watch.leaving = setTimeout(() => this.#forget(watch), KEPT);
    };
  }

  #add(watch: Watch): Watch {
    for (const other of this.#watches.values()) {
      if (this.#watches.size < MOST_WATCHES) break;
      if (other.listeners.size === 0) this.#forget(other);
    }
    this.#watches.set(watch.key, watch);
    this.#unwanted.delete(watch.key);
    return watch;
  }

  #forget(watch: Watch): void {
    clearTimeout(watch.leaving);
    clearTimeout(watch.again);
    this.#watches.delete(watch.key);
    if (watch.phase !== "new" && watch.phase !== "refused") this.#unwanted.set(watch.key, watch.leave());
    if (this.#isNeeded()) this.#tell();
    else this.#socket.close();
  }

  #begin(): void {
    this.#unwanted.clear();
    for (const watch of this.#watches.values()) {
      clearTimeout(watch.again);
      watch.begin();
    }
    this.commands?.tellAgain();
    this.#tell();
  }

  /** Tell the server what is wanted, as fast as it may be told. */
  #tell(): void {
    while (this.#socket.ready && this.#left > 0) {
      const next = this.#next();
      if (next === undefined) return;
      this.#left--;
      setTimeout(() => {
        this.#left++;
        this.#tell();
      }, 1000);
      this.#socket.send(next);
    }
  }

  /** Returns what the server has to be told next; what goes makes room for what comes. */
  #next(): ClientMessage | undefined {
    for (const [key, message] of this.#unwanted) {
      this.#unwanted.delete(key);
      return message;
    }
    const command = this.commands?.next();
    if (command !== undefined) return command;
    for (const watch of this.#watches.values()) {
      const whole = watch.phase === "whole";
      if (!whole && watch.phase !== "new" && watch.phase !== "more") continue;
      watch.phase = whole ? "asked" : "told";
      return watch.ask(whole);
    }
    return undefined;
  }

  #hear(message: ServerMessage): void {
    const { ref, topic, id } = message as { ref?: string; topic?: string; id?: string };
    if (ref !== undefined) {
      this.commands?.answer(ref, message);
      if (!this.#isNeeded()) this.#socket.close();
      return;
    }
    const watch = this.#watches.get(topic ?? workflowKey(id));
    if (!watch || watch.phase === "new" || watch.phase === "refused") return;
    if (message.type === "appError") this.#refuse(watch, message.error);
    else {
      const taken = watch.take(message);
      if (taken === "part") return;
      if (taken === "gap") {
        // Until the answer comes, what was under way before it cannot follow either.
        if (watch.phase === "told") watch.phase = "whole";
        this.#tell();
        return;
      }
      if (watch.phase !== "more") watch.phase = "told";
      if (taken === "same" && watch.error === null) return;
      Object.assign(watch, { error: null, refusals: 0 });
    }
    this.#show(watch);
  }

  #refuse(watch: Watch, error: TopicError): void {
    watch.phase = "refused";
    watch.error = error;
    if (!FOR_NOW.has(error.code)) return;
    watch.again = setTimeout(
      () => {
        watch.phase = "new";
        this.#tell();
      },
      pauseOf(FIRST_PAUSE, watch.refusals++),
    );
  }

  /** The connection is another one, in part. */
  change(more: Partial<Connection>): void {
    this.connection = { ...this.connection, ...more };
    for (const listener of this.listeners) listener();
    for (const watch of this.#watches.values()) this.#show(watch);
  }

  #show(watch: Watch): void {
    const { status } = this.connection;
    if (this.still === null) watch.show(status);
    else if (!this.still(watch, status)) return;
    for (const listener of watch.listeners) listener();
  }
}

/** Of a client that has watched nothing yet. */
export const IDLE: Connection = { status: "idle", since: 0, paused: false };

/** Calls `listener` whenever the connection has changed; returns how to stop that. */
export function listenTo(core: Core, listener: () => void): () => void {
  const own = () => listener(); // the same function may listen twice
  core.listeners.add(own);
  return () => void core.listeners.delete(own);
}
