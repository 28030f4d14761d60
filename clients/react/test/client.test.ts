import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FlowsClient } from "../src/client";
import { connected, fake, FakeSocket, real } from "./sockets";

beforeEach(fake);
afterEach(real);

const make = (getToken?: () => Promise<string | null>) => new FlowsClient({ url: "http://here/ops/live", getToken });

describe("topics", () => {
  it("are watched over one socket, and told apart", async () => {
    const client = make();
    const [a, b] = [vi.fn(), vi.fn()];
    client.watchTopic("a", a);
    client.watchTopic("b", b);
    const socket = await connected();
    expect(FakeSocket.all).toHaveLength(1);
    expect([socket.url.href, socket.protocol]).toEqual(["ws://here/ops/live", "flows.live.1"]);
    expect(socket.sent).toEqual([]);
    await socket.hello();
    expect(socket.topics()).toEqual(["a", "b"]);
    a.mockClear();
    b.mockClear();
    await socket.state("a", 1, { x: 1, rows: { "#order": ["r"], r: { name: "r" } } });
    expect([a.mock.calls.length, b.mock.calls.length]).toEqual([1, 0]);
    expect(client.topic("a")).toEqual({
      ...{ state: { x: 1, rows: [{ name: "r" }] }, at: 1, awaySince: null, error: null, connection: "open" },
    });
    const before = client.topic("a");
    await socket.state("a", 1, { x: 1 });
    expect(client.topic("a")).toBe(before);
  });

  it("stay for a while after their last watcher, then go, and the socket with the last", async () => {
    const client = make();
    const stop = client.watchTopic("a", () => {});
    client.watchTopic("a", () => {})();
    const socket = await connected();
    await socket.hello();
    await socket.state("a", 1, { x: 1 });
    stop();
    stop();
    await vi.advanceTimersByTimeAsync(9000);
    const again = client.watchTopic("a", () => {});
    expect(client.topic("a").state).toEqual({ x: 1 });
    expect(socket.topics()).toEqual(["a"]);
    const other = client.watchTopic("b", () => {});
    again();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(socket.topics("unwatchTopic")).toEqual(["a"]);
    other();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(socket.closed).toBe(true);
    expect(client.connection.status).toBe("idle");
  });

  it("make room for others when there are 100, and are told no faster than the server reads", async () => {
    const client = make();
    for (let n = 0; n < 60; n++) client.watchTopic(`kept ${n}`, () => {})();
    for (let n = 0; n < 70; n++) client.watchTopic(`watched ${n}`, () => {});
    const socket = await connected();
    await socket.hello();
    expect(socket.sent).toHaveLength(15);
    await vi.advanceTimersByTimeAsync(999);
    expect(socket.sent).toHaveLength(15);
    await vi.advanceTimersByTimeAsync(8000);
    const topics = socket.topics();
    expect(topics).toHaveLength(100);
    expect(topics.filter((topic) => topic.startsWith("watched"))).toHaveLength(70);
  });

  it("that go and come back before the server was told are watched once", async () => {
    const client = make();
    const stop = client.watchTopic("a", () => {});
    for (let n = 0; n < 40; n++) client.watchTopic(`other ${n}`, () => {});
    const socket = await connected();
    await socket.hello();
    stop();
    client.watchTopic("b", () => {})();
    await vi.advanceTimersByTimeAsync(9990);
    for (let n = 0; n < 40; n++) client.watchTopic(`more ${n}`, () => {});
    await vi.advanceTimersByTimeAsync(20);
    client.watchTopic("a", () => {});
    await vi.advanceTimersByTimeAsync(30_000);
    expect(socket.topics().filter((topic) => topic === "a")).toHaveLength(2);
    expect(socket.topics("unwatchTopic")).toEqual(["b"]);
  });

  it("ask once for the whole when a patch cannot follow", async () => {
    const client = make();
    client.watchTopic("a", () => {});
    const socket = await connected();
    await socket.hello();
    await socket.state("a", 1, { x: 1 });
    await socket.state("a", 4, { x: 4 }, 3);
    await socket.state("a", 5, { x: 5 }, 4);
    expect(socket.sent).toEqual([
      { type: "watchTopic", topic: "a" },
      { type: "watchTopic", topic: "a" },
    ]);
    expect(client.topic("a").state).toEqual({ x: 1 });
    await socket.state("a", 5, { x: 5 });
    await socket.state("a", 6, { x: 6 }, 5);
    expect(client.topic("a").state).toEqual({ x: 6 });
  });

  it("that are refused for now are asked for again, others not", async () => {
    const client = make();
    client.watchTopic("a", () => {});
    client.watchTopic("b", () => {});
    const socket = await connected();
    await socket.hello();
    await socket.say({ type: "appError", topic: "a", error: { code: "again", message: "later" } });
    await socket.say({ type: "appError", topic: "b", error: { code: "unknown", message: "gone" } });
    expect([client.topic("a").error?.code, client.topic("b").error?.message]).toEqual(["again", "gone"]);
    await vi.advanceTimersByTimeAsync(1000);
    expect(socket.topics()).toEqual(["a", "b", "a"]);
    await socket.say({ type: "appError", topic: "a", error: { code: "again", message: "later" } });
    await vi.advanceTimersByTimeAsync(1000);
    expect(socket.topics()).toEqual(["a", "b", "a"]);
    await vi.advanceTimersByTimeAsync(1000);
    await socket.state("a", 1, {});
    expect(client.topic("a").error).toBeNull();
    await vi.advanceTimersByTimeAsync(40_000);
    expect(socket.topics()).toEqual(["a", "b", "a", "a"]);
  });

  it("tell that the server's Redis is away, and keep what they have", async () => {
    const client = make();
    client.watchTopic("a", () => {});
    const socket = await connected();
    await socket.hello();
    await socket.state("a", 1, { x: 1 });
    await socket.say({
      type: "topicState",
      topic: "a",
      from: 1,
      rev: 2,
      cursor: "e.2",
      at: 1,
      awaySince: 7,
      state: {},
    });
    expect(client.topic("a")).toMatchObject({ state: { x: 1 }, awaySince: 7 });
    await socket.state("a", 3, {}, 2);
    expect(client.topic("a").awaySince).toBeNull();
  });

  it("stand still while paused, but for those that have shown nothing yet", async () => {
    const client = make();
    client.watchTopic("a", () => {});
    const socket = await connected();
    await socket.hello();
    await socket.state("a", 1, { x: 1 });
    client.setPaused(true);
    client.watchTopic("b", () => {});
    await socket.state("a", 2, { x: 2 }, 1);
    await socket.state("b", 1, { y: 1 });
    expect([client.topic("a").state, client.topic("b").state]).toEqual([{ x: 1 }, { y: 1 }]);
    socket.cut();
    expect(client.topic("a")).toMatchObject({ state: { x: 1 }, connection: "offline" });
    client.setPaused(false);
    expect(client.topic("a").state).toEqual({ x: 2 });
  });
});

describe("a connection", () => {
  it("comes back with its cursors, later and later, and soon after one that has lasted", async () => {
    vi.spyOn(Math, "random").mockReturnValue(0.5);
    const client = make();
    client.watchTopic("a", () => {});
    let socket = await connected();
    await socket.hello();
    await socket.state("a", 7, { x: 1 });
    for (const longest of [250, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]) {
      const made = FakeSocket.all.length;
      socket.cut();
      expect(client.topic("a")).toMatchObject({
        state: { x: 1 },
        connection: "offline",
      });
      await vi.advanceTimersByTimeAsync(longest * 0.75 - 1);
      expect(FakeSocket.all).toHaveLength(made);
      socket = await connected(2);
      expect(FakeSocket.all).toHaveLength(made + 1);
    }
    await socket.hello();
    expect(socket.sent).toEqual([{ type: "watchTopic", topic: "a", cursor: "e.7" }]);
    await vi.advanceTimersByTimeAsync(10_000);
    socket.cut();
    await connected(250);
    expect(FakeSocket.all.at(-1)).not.toBe(socket);
    vi.restoreAllMocks();
  });

  it("begins as if for the first time after it was closed", async () => {
    const client = make();
    client.watchTopic("a", () => {});
    vi.spyOn(Math, "random").mockReturnValue(0.999);
    (await connected()).cut(4401);
    for (let n = 0; n < 8; n++) (await connected(Math.min(30_000, 250 * 2 ** n))).cut(4401);
    expect(client.connection.status).toBe("ended");
    client.close();
    client.open();
    expect(client.connection.status).toBe("connecting");
    (await connected()).cut();
    expect(client.connection.status).toBe("offline");
    const made = FakeSocket.all.length;
    await vi.advanceTimersByTimeAsync(250);
    expect(FakeSocket.all).toHaveLength(made + 1);
    vi.restoreAllMocks();
  });

  it("is tried at once when the machine is online again", async () => {
    const events = new EventTarget();
    vi.stubGlobal("addEventListener", events.addEventListener.bind(events));
    vi.stubGlobal("removeEventListener", events.removeEventListener.bind(events));
    const client = make();
    client.watchTopic("a", () => {});
    for (let n = 0; n < 8; n++) (await connected(30_000)).cut();
    const made = FakeSocket.all.length;
    events.dispatchEvent(new Event("online"));
    await connected();
    expect(FakeSocket.all).toHaveLength(made + 1);
    client.close();
    events.dispatchEvent(new Event("online"));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(FakeSocket.all).toHaveLength(made + 1);
  });

  it("that is silent for three beats, or says no hello, is given up", async () => {
    const client = make();
    client.watchTopic("a", () => {});
    const silent = await connected();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(silent.closed).toBe(true);
    const socket = await connected(250);
    await socket.hello();
    await vi.advanceTimersByTimeAsync(44_000);
    await socket.say({ type: "beat" });
    await vi.advanceTimersByTimeAsync(44_000);
    expect(socket.closed).toBe(false);
    await vi.advanceTimersByTimeAsync(1000);
    expect(socket.closed).toBe(true);
    expect(client.connection.status).toBe("offline");
  });

  it("comes back within 5 s where the server goes", async () => {
    vi.spyOn(Math, "random").mockReturnValue(0.9);
    make().watchTopic("a", () => {});
    const socket = await connected();
    await socket.hello();
    socket.cut(1012);
    await vi.advanceTimersByTimeAsync(4499);
    expect(FakeSocket.all).toHaveLength(1);
    await connected(1);
    expect(FakeSocket.all).toHaveLength(2);
    vi.restoreAllMocks();
  });

  it("understands nothing that it does not know", async () => {
    const client = make();
    client.watchTopic("a", () => {});
    const socket = await connected();
    await socket.hello();
    for (const data of ["", "null", "[]", '{"type":"later"}', '{"type":"topicState","topic":"b"}'])
      socket.onmessage?.({ data });
    await socket.state("a", 1, { x: 1 });
    expect(client.topic("a").state).toEqual({ x: 1 });
  });
});

describe("who watches", () => {
  it("says so by a fresh token at each connection and when one ends", async () => {
    let n = 0;
    const client = make(() => Promise.resolve(`token ${++n}`));
    client.watchTopic("a", () => {});
    let socket = await connected();
    await socket.hello("token");
    expect(socket.sent).toEqual([
      { type: "authenticate", token: "token 1" },
      { type: "watchTopic", topic: "a" },
    ]);
    await socket.state("a", 1, {});
    await socket.say({ type: "tokenEnds", ms: 30_000 });
    expect(socket.sent.at(-1)).toEqual({ type: "authenticate", token: "token 2" });
    socket.cut(4401);
    socket = await connected();
    await socket.hello("token");
    expect(socket.sent[0]).toEqual({ type: "authenticate", token: "token 3" });
    await socket.state("a", 2, {});
    expect(client.connection.status).toBe("open");
  });

  it("is over when the new token is not taken either, and begins anew after a login", async () => {
    const client = make(() => Promise.resolve("old"));
    client.watchTopic("a", () => {});
    let socket = await connected();
    await socket.hello("token");
    socket.cut(4401);
    expect(client.connection.status).toBe("offline");
    socket = await connected();
    await socket.hello("token");
    expect(client.connection.status).toBe("offline");
    socket.cut(4401);
    expect(client.connection.status).toBe("ended");
    client.retry();
    socket = await connected();
    await socket.hello("token");
    await socket.state("a", 1, {});
    expect(client.connection.status).toBe("open");
  });

  it("is known again although nothing has changed meanwhile", async () => {
    for (const auth of ["none", "token"] as const) {
      const client = make(() => Promise.resolve("t"));
      client.watchTopic("a", () => {});
      let socket = await connected();
      await socket.hello(auth);
      await socket.state("a", 1, {});
      socket.cut(4401);
      (await connected()).cut();
      expect(client.connection.status).toBe("ended");
      socket = await connected(1000);
      await socket.hello(auth);
      if (auth === "token") await socket.say({ type: "beat" });
      expect(client.connection.status).toBe("open");
      client.close();
    }
  });

  it("is over when there is no token", async () => {
    for (const getToken of [undefined, () => Promise.resolve(null)]) {
      const client = make(getToken);
      client.watchTopic("a", () => {});
      await (await connected()).hello("token");
      expect(client.connection.status).toBe("ended");
      client.close();
    }
  });

  it("is not told on a connection that is gone when the token comes", async () => {
    const answers: ((token: string) => void)[] = [];
    const client = make(() => new Promise((answer) => answers.push(answer)));
    client.watchTopic("a", () => {});
    const first = await connected();
    await first.hello("token");
    first.cut();
    const socket = await connected(250);
    await socket.hello("token");
    answers[0]?.("old");
    await vi.advanceTimersByTimeAsync(0);
    expect([first.sent, socket.sent, client.connection.status]).toEqual([[], [], "offline"]);
    answers[1]?.("new");
    await vi.advanceTimersByTimeAsync(0);
    expect(socket.sent[0]).toEqual({ type: "authenticate", token: "new" });
  });

  it("is not over when the token could not be asked for", async () => {
    const client = make(() => Promise.reject(new Error("no network")));
    client.watchTopic("a", () => {});
    await (await connected()).hello("token");
    expect(client.connection.status).toBe("offline");
    const made = FakeSocket.all.length;
    await vi.advanceTimersByTimeAsync(250);
    expect(FakeSocket.all).toHaveLength(made + 1);
  });

  it("needs no token where a cookie says it, also when that ends", async () => {
    const client = make();
    client.watchTopic("a", () => {});
    const socket = await connected();
    await socket.hello();
    await socket.say({ type: "tokenEnds", ms: 0 });
    expect(socket.closed).toBe(false);
    socket.cut(4401);
    (await connected()).cut(); // the handshake is answered 401, which a page is not told
    expect(client.connection.status).toBe("ended");
  });
});
