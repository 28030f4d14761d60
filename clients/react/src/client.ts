/** All that a page watches, over one socket: it comes back by itself, and goes on where it was. */
import { Commands, newRef } from "./commands";
import { type Command, FOR_NOW, MOST_MESSAGES, MOST_WATCHES } from "./protocol";
import type { Answer, ClientMessage, ExecuteOptions, LogLine, ServerMessage, TopicError } from "./protocol";
import { ReconnectingSocket, type SocketOptions, type Status } from "./socket";
import { NOTHING, type Topic, TopicWatch } from "./topic";
import { keyOf, type Timer, topicKey, type Watch, workflowKey } from "./watch";
import { UNKNOWN, type WorkflowState, WorkflowWatch } from "./workflowWatch";

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
const LONGEST_PAUSE = 30_000;

export class FlowsClient {
  connection: Connection = IDLE;
  #nothing: Topic<never> = NOTHING;
  #unknown: WorkflowState = UNKNOWN;
  readonly #watches = new Map<string, Watch>();
  /** What the server still watches for us, with what ends that. */
  readonly #unwanted = new Map<string, ClientMessage>();
  readonly #commands = new Commands();
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
    const watch = this.#watches.get(topicKey(topic));
    return (watch instanceof TopicWatch ? watch.seen : this.#nothing) as Topic<T>;
  }

  /** Returns a workflow as it is now. */
  workflow(id: string): WorkflowState {
    return this.#workflow(id)?.seen ?? this.#unknown;
  }

  /** Returns what is known of the log of a task that `watchLog` watches. */
  log(id: string, path: string): readonly LogLine[] {
    return this.#workflow(id)?.log(path) ?? NO_LINES;
  }

  /** Calls `listener` whenever a topic has changed; returns how to stop that. */
  watch(topic: string, listener: () => void): () => void {
    return this.#watch(topicKey(topic), () => new TopicWatch(topic, this.#nothing), listener);
  }

  /** Calls `listener` whenever a workflow has changed; returns how to stop that. */
  watchWorkflow(id: string, listener: () => void): () => void {
    return this.#watch(workflowKey(id), () => new WorkflowWatch(id, this.#unknown), listener);
  }

  /** Calls `listener` whenever a workflow or this task's log has changed; returns how to stop that. */
  watchLog(id: string, path: string, listener: () => void): () => void {
    const stop = this.watchWorkflow(id, listener);
    const unread = this.#workflow(id)?.read(path, () => this.#tell());
    return () => {
      unread?.();
      stop();
    };
  }

  /**
   * Execute a task, a group, or `#` for all of a workflow; returns the execution's id. What was sent and not answered
   * before the connection was cut is sent again, and done once.
   *
   * Rejects with `Refused`.
   */
  async execute(id: string, path: string, options: ExecuteOptions = {}): Promise<string> {
    const to = { workflowId: id, ref: newRef() };
    const { argument } = options;
    const answer = await this.#ask(
      path === "#"
        ? { type: "executeAllTasks", ...to, ...(argument !== undefined && { argument }) }
        : { type: "executeTask", taskPath: path, ...to, ...options },
    );
    return answer.type === "accepted" ? (answer.execution ?? "") : "";
  }

  /** Cancel the execution that is under way. Rejects with `Refused`. */
  async cancel(id: string): Promise<void> {
    await this.#ask({ type: "cancelExecution", workflowId: id, ref: newRef() });
  }

  /** Returns the result of a task. Rejects with `Refused`. */
  async result(id: string, path: string): Promise<unknown> {
    const answer = await this.#ask({ type: "getResult", workflowId: id, taskPath: path, ref: newRef() });
    return answer.type === "result" ? answer.result : undefined;
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
    if (this.#isNeeded()) this.#socket.open();
  }

  #isNeeded(): boolean {
    return this.#watches.size > 0 || this.#commands.size > 0;
  }

  #workflow(id: string): WorkflowWatch | undefined {
    const watch = this.#watches.get(workflowKey(id));
    return watch instanceof WorkflowWatch ? watch : undefined;
  }

  #watch(key: string, make: () => Watch, listener: () => void): () => void {
    const watch = this.#watches.get(key) ?? this.#add(make());
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
    else this.#disconnect();
  }

  #disconnect(): void {
    clearTimeout(this.#later);
    this.#socket.close();
  }

  #ask(command: Command): Promise<Answer> {
    const answer = this.#commands.add(command);
    this.#socket.open();
    this.#tell();
    return answer;
  }

  #begin(): void {
    this.#unwanted.clear();
    for (const watch of this.#watches.values()) {
      clearTimeout(watch.again);
      watch.phase = "new";
    }
    this.#commands.tellAgain();
    this.#tell();
  }

  /** Tell the server what is wanted, as fast as it may be told. */
  #tell(): void {
    clearTimeout(this.#later);
    while (this.#socket.ready) {
      const now = Date.now();
      this.#sent = this.#sent.filter((at) => now - at < 1000);
      const [first] = this.#sent;
      if (first !== undefined && this.#sent.length >= MOST_MESSAGES) {
        this.#later = setTimeout(() => this.#tell(), first + 1000 - now);
        return;
      }
      const next = this.#next();
      if (next === undefined) return;
      this.#sent.push(now);
      this.#socket.send(next);
    }
  }

  /** Returns what the server has to be told next; what goes makes room for what comes. */
  #next(): ClientMessage | undefined {
    for (const [key, message] of this.#unwanted) {
      this.#unwanted.delete(key);
      return message;
    }
    const command = this.#commands.next();
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
    if ("ref" in message && message.ref !== undefined) {
      this.#commands.answer(message.ref, message);
      if (!this.#isNeeded()) this.#disconnect();
      return;
    }
    const key = keyOf(message);
    const watch = key === null ? undefined : this.#watches.get(key);
    if (watch === undefined || watch.phase === "new" || watch.phase === "refused") return;
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
    this.#unknown = { ...UNKNOWN, connection: status };
    for (const listener of this.#listeners) listener();
    for (const watch of this.#watches.values()) this.#show(watch);
  }

  #show(watch: Watch): void {
    if (watch.show(this.connection)) for (const listener of watch.listeners) listener();
  }
}

const NO_LINES: readonly LogLine[] = [];
/** Of a client that has watched nothing yet. */
export const IDLE: Connection = { status: "idle", since: 0, paused: false };
