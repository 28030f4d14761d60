import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FlowsClient, type Refused } from "../src";
import { tellMoments } from "../src/moments";
import { connected, fake, FakeSocket, real } from "./sockets";

beforeEach(fake);
afterEach(real);

const make = (getToken?: () => Promise<string | null>) => new FlowsClient({ url: "http://here/live", getToken });
const TASKS = [{ name: "a", path: "#.a", weight: 1, tasks: [] }];
const working = { status: "working", execution: "x1" } as const;

describe("a workflow", () => {
  it("is watched beside topics, and told as a whole", async () => {
    const client = make();
    const heard = vi.fn();
    client.watchTopic("t", () => {});
    const stop = client.watchWorkflow("w", heard);
    const socket = await connected();
    expect(FakeSocket.all).toHaveLength(1);
    await socket.hello();
    expect(socket.sent).toEqual([
      { type: "watchTopic", topic: "t" },
      { type: "watchWorkflowInstance", workflowId: "w" },
    ]);
    expect(client.workflow("w")).toMatchObject({ status: "unknown", connection: "open" });
    heard.mockClear();
    await socket.say({ type: "workflowDescription", id: "w", tasks: TASKS });
    await socket.say({ type: "setWorkflowStatus", id: "w", ...working });
    expect(heard).not.toHaveBeenCalled();
    await socket.tasks("w", 5, { "#.a": { status: "running" } }, { progress: 0.25 });
    expect(heard).toHaveBeenCalledTimes(1);
    expect(client.workflow("w")).toEqual({
      ...{ ...working, progress: 0.25, tasks: TASKS, statuses: { "#.a": { status: "running" } }, rev: 5 },
      ...{ path: "", because: "", error: null, refused: null, connection: "open" },
    });
    const before = client.workflow("w");
    await socket.tasks("w", 5, {});
    expect(client.workflow("w")).toBe(before);
    stop();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(socket.sent.at(-1)).toEqual({ type: "unwatchWorkflowInstance", workflowId: "w" });
    expect(socket.closed).toBe(false);
  });

  it("goes on after a cut where it was, also one in the midst of a telling", async () => {
    const client = make();
    client.watchWorkflow("w", () => {});
    let socket = await connected();
    await socket.hello();
    await socket.tasks("w", 5, { "#.a": { status: "running" } }, { tasks: TASKS, whole: working });
    await socket.say({ type: "setWorkflowStatus", id: "w", status: "done", execution: "x1" });
    socket.cut();
    expect(client.workflow("w")).toMatchObject({ status: "working", connection: "offline" });
    socket = await connected(250);
    await socket.hello();
    expect(socket.sent).toEqual([{ type: "watchWorkflowInstance", workflowId: "w", cursor: "e.5" }]);
    await socket.tasks("w", 9, { "#.a": { status: "ok" } }, { from: 5, progress: 1, whole: { status: "done" } });
    expect(client.workflow("w")).toMatchObject({ status: "done", progress: 1, tasks: TASKS });
  });

  it("forgets what came before a cut without its statuses", async () => {
    const client = make();
    client.watchWorkflow("w", () => {});
    let socket = await connected();
    await socket.hello();
    await socket.tasks("w", 5, { "#.a": { status: "running" } }, { tasks: TASKS, whole: working });
    await socket.say({ type: "workflowDescription", id: "w", tasks: [] });
    await socket.say({ type: "setWorkflowStatus", id: "w", status: "idle" });
    socket.cut();
    socket = await connected(250);
    await socket.hello();
    await socket.tasks("w", 9, { "#.a": { status: "ok" } }, { from: 5 });
    expect(client.workflow("w")).toMatchObject({ ...working, rev: 9, tasks: TASKS });
  });

  it("that cannot follow is asked for again, with its cursor", async () => {
    const client = make();
    client.watchWorkflow("w", () => {});
    const socket = await connected();
    await socket.hello();
    await socket.tasks("w", 5, {});
    await socket.tasks("w", 8, {}, { from: 7 });
    await socket.tasks("w", 9, {}, { from: 8 });
    expect(socket.sent.slice(1)).toEqual([{ type: "watchWorkflowInstance", workflowId: "w", cursor: "e.5" }]);
    await socket.tasks("w", 9, { "#.a": { status: "ok" } }, { from: 5 });
    expect(client.workflow("w").rev).toBe(9);
  });

  it("that was destroyed, or may not be watched, says so", async () => {
    const client = make();
    client.watchWorkflow("w", () => {});
    client.watchWorkflow("other", () => {});
    const socket = await connected();
    await socket.hello();
    await socket.tasks("w", 5, { "#.a": { status: "ok" } });
    await socket.say({ type: "workflowDestroyed", id: "w" });
    await socket.say({ type: "appError", id: "other", error: { code: "forbidden", message: "not yours" } });
    expect(client.workflow("w")).toMatchObject({ status: "destroyed", statuses: { "#.a": { status: "ok" } } });
    expect(client.workflow("other")).toMatchObject({ status: "unknown", refused: { code: "forbidden" } });
  });

  it("stands still while paused", async () => {
    const client = make();
    client.watchWorkflow("w", () => {});
    const socket = await connected();
    await socket.hello();
    await socket.tasks("w", 5, {});
    client.setPaused(true);
    await socket.tasks("w", 6, {}, { from: 5 });
    expect(client.workflow("w").rev).toBe(5);
    client.setPaused(false);
    expect(client.workflow("w").rev).toBe(6);
  });

  it("has the logs told that are read, and goes on with them by number", async () => {
    const client = make();
    client.watchWorkflow("w", () => {});
    let socket = await connected();
    await socket.hello();
    await socket.tasks("w", 5, {});
    const heard = vi.fn();
    const stop = client.watchLog("w", "#.a", heard);
    const watch = { type: "watchWorkflowInstance", workflowId: "w", cursor: "e.5" };
    expect(socket.sent.at(-1)).toEqual({ ...watch, logs: { "#.a": 0 } });
    await socket.say({
      type: "taskLog",
      id: "w",
      path: "#.a",
      lines: [
        [1, 10, "one"],
        [2, 20, "two"],
      ],
    });
    await socket.say({
      type: "taskLog",
      id: "w",
      path: "#.a",
      lines: [
        [2, 20, "two"],
        [3, 30, "three"],
      ],
    });
    expect(client.log("w", "#.a")).toEqual([
      [1, 10, "one"],
      [2, 20, "two"],
      [3, 30, "three"],
    ]);
    expect(heard).toHaveBeenCalledTimes(2);
    socket.cut();
    socket = await connected(250);
    await socket.hello();
    expect(socket.sent.at(-1)).toEqual({ ...watch, logs: { "#.a": 3 } });
    await socket.tasks("w", 6, {}, { from: 5 });
    client.watchLog("w", "#.a", () => {})();
    stop();
    expect(socket.sent.at(-1)).toEqual({ ...watch, cursor: "e.6" });
    expect(client.log("w", "#.a")).toEqual([]);
  });
});

describe("a command", () => {
  it("is answered by its ref, and what was not is sent again after a cut, the same", async () => {
    const client = make();
    client.watchWorkflow("w", () => {});
    let socket = await connected();
    await socket.hello();
    const [one, all] = [client.execute("w", "#.a", { subtree: true }), client.execute("w", "#", { argument: 7 })];
    const [first, second] = socket.sent.slice(1) as { ref: string }[];
    expect(first).toEqual({ type: "executeTask", workflowId: "w", taskPath: "#.a", subtree: true, ref: first!.ref });
    expect(second).toEqual({ type: "executeAllTasks", workflowId: "w", argument: 7, ref: second!.ref });
    expect(first!.ref).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    await socket.say({ type: "accepted", ref: first!.ref, execution: "x1" });
    expect(await one).toBe("x1");
    socket.cut();
    socket = await connected(250);
    await socket.hello();
    expect(socket.sent[0]).toEqual(second);
    await socket.say({ type: "accepted", ref: first!.ref, execution: "x1" });
    const refused = all.catch((error: Refused) => [error.code, error.message]);
    await socket.say({ type: "appError", ref: second!.ref, error: { code: "busy", message: "x1 works" } });
    expect(await refused).toEqual(["busy", "x1 works"]);
  });

  it("needs nothing that is watched, and brings results and errors", async () => {
    const client = make();
    const result = client.result("w", "#.a");
    const socket = await connected();
    await socket.hello();
    const { ref } = socket.sent[0] as { ref: string };
    expect(socket.sent[0]).toEqual({ type: "getResult", workflowId: "w", taskPath: "#.a", ref });
    await socket.say({ type: "result", ref, result: [1] });
    expect(await result).toEqual([1]);
    expect(socket.closed).toBe(true);
    const cancelled = client.cancel("w").catch((error: Refused) => error.code);
    const next = await connected();
    await next.hello();
    const sent = next.sent[0] as { ref: string };
    await next.say({ type: "executionError", ref: sent.ref, error: { type: "TreeGone", message: "gone" } });
    expect(await cancelled).toBe("TreeGone");
  });
});

it("tells each moment once, also across a cut and where states were merged; not what was so at first", async () => {
  const client = make();
  const calls: string[] = [];
  client.watchWorkflow("w", () => {});
  let before = client.workflow("w");
  client.watchWorkflow("w", () => {
    const after = client.workflow("w");
    tellMoments(before, after, {
      onTaskStart: (path) => calls.push(`start ${path}`),
      onTaskEnd: (path, { status }) => calls.push(`end ${path} ${status}`),
      onComplete: ({ execution }) => calls.push(`done ${execution}`),
      onError: (error, { status }) => calls.push(`${status} ${error?.type}`),
    });
    before = after;
  });
  let socket = await connected();
  await socket.hello();
  const told = async (...given: Parameters<FakeSocket["tasks"]> extends [string, ...infer Rest] ? Rest : never) => {
    calls.length = 0;
    await socket.tasks("w", ...given);
    return [...calls];
  };
  const ok = (at: number) => ({ status: "ok", started: at, ended: at + 1 }) as const;
  expect(await told(1, { "#.a": ok(1) }, { whole: { status: "done", execution: "x0" } })).toEqual([]);
  const begun = { "#.a": { status: "queued" }, "#.b": { status: "running", started: 5 } } as const;
  expect(await told(2, begun, { from: 1, whole: working })).toEqual(["start #.b"]);
  const retried = { "#.b": { status: "running", started: 6, attempt: 2 } } as const;
  expect(await told(3, retried, { from: 2 })).toEqual([]);
  socket.cut();
  socket = await connected(250);
  await socket.hello();
  const end = {
    "#.a": ok(7),
    "#.b": { status: "failed", started: 6, ended: 9 },
    "#.c": { status: "skipped" },
  } as const;
  const failed = { status: "failed", execution: "x1", error: { type: "E", message: "" } } as const;
  expect(await told(9, end, { from: 3, whole: failed })).toEqual([
    ...["start #.a", "end #.a ok", "end #.b failed", "end #.c skipped", "failed E"],
  ]);
  expect(await told(9, end, { from: 3, whole: failed })).toEqual([]);
  // A whole execution that nobody saw: its end is told.
  expect(await told(20, { "#.a": ok(17) }, { from: 9, whole: { status: "failed", execution: "x2" } })).toEqual([
    ...["start #.a", "end #.a ok", "failed undefined"],
  ]);
  expect(await told(21, {}, { from: 20, whole: { status: "done", execution: "x3" } })).toEqual(["done x3"]);
});
