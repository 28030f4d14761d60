import { describe, expect, it } from "vitest";
import type { Task, Tree } from "./stand";
import { graphOf } from "./graph";
import { linesOf } from "./times";
import { causeOf, seenBy, staleBy, usersOf } from "./why";

const task = (path: string, sources: Record<string, string>, ...tasks: Task[]): Task => ({
  ...{ path, name: path.slice(path.lastIndexOf(".") + 1), description: "", weight: tasks.length ? 0 : 1, queue: "" },
  ...{ order: "parallel", reads: [], writes: [], gate: "", sources, tasks },
});
/** fetch; images: small, large, which reads small; texts, with a condition of the data; publish reads the group. */
const TASKS = [
  task("#.fetch", { url: "" }),
  task(
    "#.images",
    {},
    task("#.images.small", { pages: "#.fetch", size: "" }),
    task("#.images.large", { small: "#.images.small" }),
  ),
  task("#.texts", { langs: "" }, { ...task("#.texts.de", { pages: "#.fetch" }), gate: "#.texts" }),
  task("#.publish", { images: "#.images", url: "" }),
];
const record = (order: number, inputs: Record<string, number> = {}, stale = false) => ({
  ...{ status: "ok", order, inputs, stale },
});
const tree = (states: Record<string, object>) => ({ tasks: TASKS, states }) as unknown as Tree;

describe("why a result is stale", () => {
  it("names what is stale before it, what ran again, or what it reads of the data", () => {
    const now = tree({
      "#.fetch": record(9),
      "#.images.small": record(3, { "#.fetch": 2 }, true),
      "#.images.large": record(4, { "#.images.small": 3 }, true),
      "#.publish": record(5, { "#.images.small": 3, "#.images.large": 4 }, true),
    });
    expect(causeOf(TASKS[0]!, now)).toBeNull();
    expect(causeOf(TASKS[1]!.tasks[0]!, now)).toEqual({ what: "again", path: "#.fetch" });
    expect(causeOf(TASKS[1]!.tasks[1]!, now)).toEqual({ what: "stale", path: "#.images.small" });
    expect(seenBy(TASKS[1]!.tasks[0]!, now)).toEqual([
      { name: "pages", from: "#.fetch", then: 2, now: 9, other: true },
      { name: "size", from: "", then: 0, now: 0, other: false },
    ]);
    expect(seenBy(TASKS[3]!, now)[0]).toEqual({ name: "images", from: "#.images", then: 4, now: 4, other: true });
    const data = tree({ "#.fetch": record(2, {}, true) });
    expect(causeOf(TASKS[0]!, data)).toEqual({ what: "data", names: ["url"] });
    expect(seenBy(TASKS[0]!, data)[0]!.other).toBe(true);
  });

  it("finds who uses a result, through groups, and what is skipped with its condition", () => {
    expect([...usersOf(["#.images.large"], TASKS)]).toEqual(["#.images.large", "#.publish"]);
    expect([...usersOf(["#.texts"], TASKS)]).toEqual(["#.texts", "#.texts.de"]);
  });

  it("tells before it is changed what other data makes stale, of what has a result", () => {
    const all = tree(Object.fromEntries(["#.fetch", "#.images.small", "#.publish"].map((path) => [path, record(1)])));
    expect(staleBy(new Set(), all)).toEqual([]);
    expect(staleBy(new Set(["size"]), all)).toEqual(["#.images.small", "#.publish"]);
    expect(staleBy(new Set(["langs"]), all)).toEqual([]);
    expect(staleBy(new Set(["url"]), all).sort()).toEqual(["#.fetch", "#.images.small", "#.publish"]);
  });
});

describe("the graph", () => {
  it("has an arrow for each result that is read, and for the order where nothing leads there yet", () => {
    const { spots, arrows, columns } = graphOf(TASKS)!;
    expect(arrows.map(({ from, to, given }) => `${from} ${given ? ">" : "-"} ${to}`).sort()).toEqual([
      "#.fetch > #.images.small",
      "#.fetch > #.texts.de",
      "#.images.large - #.texts.de",
      "#.images.large > #.publish",
      "#.images.small > #.images.large",
      "#.images.small > #.publish",
      "#.texts.de - #.publish",
    ]);
    expect(spots.map((spot) => [spot.task.name, spot.column])).toEqual([
      ["fetch", 0],
      ["small", 1],
      ["large", 2],
      ["de", 3],
      ["publish", 4],
    ]);
    expect(columns).toBe(5);
  });

  it("draws a large group as one, and nothing where there is too much", () => {
    const many = (n: number, at: string) => Array.from({ length: n }, (_, i) => task(`${at}.p${i}`, { x: "#.fetch" }));
    const large = [
      task("#.fetch", {}),
      task("#.pages", {}, ...many(300, "#.pages")),
      task("#.index", { p: "#.pages.p7" }),
    ];
    const graph = graphOf(large)!;
    expect(graph.spots.map((spot) => spot.inside)).toEqual([0, 300, 0]);
    expect(graph.arrows).toEqual([
      { from: "#.fetch", to: "#.pages", given: true },
      { from: "#.pages", to: "#.index", given: true },
    ]);
    expect(graphOf(many(300, "#"))).toBeNull();
  });
});

describe("times", () => {
  it("shows what was queued and what ran, groups from their first to their last, and counts the others", () => {
    const states = new Map(
      Object.entries({
        "#.fetch": { status: "ok", queued: 10, started: 20, ended: 50 },
        "#.images.small": { status: "running", queued: 50, started: 60, attempt: 2 },
        "#.images.large": { status: "queued", queued: 55 },
        "#.texts.de": { status: "skipped" },
      } as const),
    );
    const { lines, left } = linesOf(TASKS, states, 100);
    expect(left).toBe(1); // publish: what was skipped has no time, and waits for none
    expect(
      lines.map(({ task: { name }, bars, took }) => [name, took, ...bars.map((one) => Object.values(one))]),
    ).toEqual([
      ["fetch", 30, ["waited", 10, 20, false], ["ran", 20, 50, false]],
      ["images", 50, ["below", 50, 100, true]],
      ["small", 40, ["waited", 50, 60, false], ["ran", 60, 100, true]],
      ["large", null, ["waited", 55, 100, true]],
    ]);
  });
});
