/** WebSockets that connect nowhere: a test plays the server. */
import { vi } from "vitest";
import type { ClientMessage, ServerMessage, TasksStatuses, TopicState, WorkflowTold } from "../src/protocol";
import type { TaskNode } from "../src/workflow";

export class FakeSocket {
  static all: FakeSocket[] = [];
  readonly sent: ClientMessage[] = [];
  closed = false;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;

  constructor(
    readonly url: URL,
    readonly protocol: string,
  ) {
    FakeSocket.all.push(this);
  }

  send(text: string): void {
    this.sent.push(JSON.parse(text) as ClientMessage);
  }

  close(): void {
    this.closed = true;
  }

  /** The server says something. */
  async say(message: ServerMessage): Promise<void> {
    this.onmessage?.({ data: JSON.stringify(message) });
    await vi.advanceTimersByTimeAsync(0);
  }

  async hello(auth: "none" | "token" = "none"): Promise<void> {
    await this.say({ type: "hello", protocol: 1, beat: 15_000, auth });
  }

  async state(topic: string, rev: number, state: TopicState["state"], from = 0, epoch = "e"): Promise<void> {
    await this.say({ type: "topicState", topic, from, rev, cursor: `${epoch}.${rev}`, at: rev, state });
  }

  /** Tells of a workflow; `whole` says how it stands as a whole too. */
  async tasks(id: string, rev: number, statuses: TasksStatuses["statuses"], options: Telling = {}): Promise<void> {
    const { from = 0, epoch = "e", progress = 0, tasks, whole } = options;
    if (tasks) await this.say({ type: "workflowDescription", id, tasks });
    if (whole) await this.say({ type: "setWorkflowStatus", id, ...whole });
    await this.say({ type: "setTasksStatuses", id, from, rev, cursor: `${epoch}.${rev}`, statuses, progress });
  }

  /** The connection ends. */
  cut(code = 1006): void {
    this.onclose?.({ code });
  }

  topics(type: ClientMessage["type"] = "watchTopic"): string[] {
    return this.sent.flatMap((one) => (one.type === type && "topic" in one ? [one.topic] : []));
  }
}

interface Telling {
  from?: number;
  epoch?: string;
  progress?: number;
  tasks?: readonly TaskNode[];
  whole?: Omit<WorkflowTold, "type" | "id">;
}

/** Returns the newest socket, once the client has had time to make one. */
export async function connected(within = 0): Promise<FakeSocket> {
  await vi.advanceTimersByTimeAsync(within);
  const socket = FakeSocket.all.at(-1);
  if (socket === undefined) throw new Error("no socket was made");
  return socket;
}

export function fake(): void {
  vi.useFakeTimers();
  FakeSocket.all = [];
  vi.stubGlobal("WebSocket", FakeSocket);
}

export function real(): void {
  vi.useRealTimers();
  vi.unstubAllGlobals();
}
