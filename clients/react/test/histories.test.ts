/** The whole client against a server that loses, repeats and delays what it sends, is cut off and begins anew. */
import fc from "fast-check";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { FlowsClient } from "../src/client";
import { plain } from "../src/plain";
import type { ClientMessage, Json, TopicState } from "../src/protocol";
import { Room, states } from "./model";
import { fake, FakeSocket, real } from "./sockets";

beforeEach(fake);
afterEach(real);

const TOPICS = ["a", "b", "c"];
const topic = fc.constantFrom(...TOPICS);
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.tuple(fc.constant("set" as const), topic, states),
  },
  {
    weight: 4,
    arbitrary: fc.tuple(fc.constant("wait" as const), fc.constantFrom(0, 100, 1000, 12_000)),
  },
  { weight: 2, arbitrary: fc.tuple(fc.constant("watch" as const), topic) },
  { weight: 2, arbitrary: fc.tuple(fc.constant("leave" as const), topic) },
  {
    weight: 2,
    arbitrary: fc.tuple(fc.constantFrom("lose" as const, "repeat" as const, "late" as const), topic),
  },
  { weight: 1, arbitrary: fc.tuple(fc.constant("refuse" as const), topic) },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.constant("cut" as const), fc.constantFrom(1006, 1012, 4401)),
  },
  { weight: 1, arbitrary: fc.tuple(fc.constant("restart" as const), topic) },
);

/** The server: a room for each topic, and what each watcher of the one connection has seen. */
class Server {
  readonly rooms = new Map(TOPICS.map((name) => [name, new Room({})]));
  readonly seen = new Map<string, number>();
  late: TopicState[] = [];
  #socket: FakeSocket | null = null;
  #read = 0;

  /** Reads what the client has sent, and sends what is new to it. */
  serve(fault: string | null = null, about = ""): void {
    const socket = FakeSocket.all.at(-1);
    if (socket === undefined || socket.closed || socket.onmessage === null) return;
    if (socket !== this.#socket) {
      this.#socket = socket;
      this.#read = 0;
      this.seen.clear();
      this.late = [];
      this.#say({ type: "hello", protocol: 1, beat: 15_000, auth: "none" });
    }
    for (const message of socket.sent.slice(this.#read)) this.#hear(message);
    this.#read = socket.sent.length;
    expect(this.seen.size).toBeLessThanOrEqual(TOPICS.length);
    if (fault === "refuse" && this.seen.delete(about))
      this.#say({
        type: "appError",
        topic: about,
        error: { code: "again", message: "later" },
      });
    for (const [name, seen] of this.seen) {
      const message = this.rooms.get(name)!.since(name, seen);
      if (message === null) continue;
      this.seen.set(name, message.rev);
      const wrong = name === about ? fault : null;
      if (wrong === "late") this.late.push(message);
      else if (wrong !== "lose") for (let n = wrong === "repeat" ? 2 : 1; n > 0; n--) this.#say(message);
    }
    if (fault === "late") return;
    for (const message of this.late) this.#say(message);
    this.late = [];
  }

  cut(code: number): void {
    const socket = FakeSocket.all.at(-1);
    if (socket !== undefined && !socket.closed) socket.cut(code);
  }

  #hear(message: ClientMessage): void {
    if (message.type === "watchTopic")
      this.seen.set(message.topic, this.rooms.get(message.topic)!.seen(message.cursor));
    else if (message.type === "unwatchTopic") this.seen.delete(message.topic);
  }

  #say(message: object): void {
    this.#socket?.onmessage?.({ data: JSON.stringify(message) });
  }
}

it("shows what the server has in the end, whatever happened on the way", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (history) => {
      FakeSocket.all = [];
      const server = new Server();
      const client = new FlowsClient({ url: "http://here/live" });
      const stops = new Map<string, () => void>();
      for (const one of history) {
        if (one[0] === "set") server.rooms.get(one[1])!.set(one[2]);
        else if (one[0] === "wait") await vi.advanceTimersByTimeAsync(one[1]);
        else if (one[0] === "watch")
          stops.get(one[1]) ??
            stops.set(
              one[1],
              client.watchTopic(one[1], () => {}),
            );
        else if (one[0] === "leave") (stops.get(one[1])?.(), stops.delete(one[1]));
        else if (one[0] === "cut") server.cut(one[1]);
        else if (one[0] === "restart") {
          server.rooms.set(one[1], new Room({}));
          server.cut(1012);
        }
        server.serve(...([one[0], typeof one[1] === "string" ? one[1] : ""] as const));
        await vi.advanceTimersByTimeAsync(0);
      }
      // A connection loses nothing while it lasts: what it has lost comes with the next.
      server.cut(1006);
      for (const name of TOPICS)
        if (!stops.has(name))
          stops.set(
            name,
            client.watchTopic(name, () => {}),
          );
      for (let n = 0; n < 40; n++) {
        await vi.advanceTimersByTimeAsync(1000);
        server.serve();
      }
      for (const [name, room] of server.rooms)
        expect(client.topic(name).state).toStrictEqual(plain(room.states.at(-1) as Json));
      expect(client.connection.status).toBe("open");
      for (const stop of stops.values()) stop();
      client.close();
    }),
    { numRuns: 300 },
  );
});
