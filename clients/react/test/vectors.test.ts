/** The same vectors are read by tests/server/live/test_vectors.py. */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { applyPatch } from "../src/merge";
import { plain } from "../src/plain";
import type { Json, JsonObject } from "../src/protocol";
import { rollUp, type Weighed } from "../src/rollup";
import type { ServerMessage } from "../src/protocol";
import type { Statuses } from "../src/workflow";
import { UNKNOWN, type WorkflowState, WorkflowWatch } from "../src/workflowWatch";

function vectors<T>(name: string): T[] {
  return JSON.parse(readFileSync(new URL(`../vectors/${name}.json`, import.meta.url), "utf8")) as T[];
}

it.each(vectors<{ name: string; old: JsonObject; new: JsonObject; patch: JsonObject }>("merge_patch"))(
  "merges: $name",
  (one) => expect(applyPatch(one.old, one.patch)).toStrictEqual(one.new),
);

it.each(vectors<{ name: string; plain: Json; state: Json }>("lists"))("lists: $name", (one) =>
  expect(plain(one.state)).toStrictEqual(one.plain),
);

it.each(vectors<{ name: string; tasks: Weighed[]; statuses: Statuses; progress: Record<string, number> }>("rollup"))(
  "rolls up: $name",
  (one) => expect(Object.fromEntries(rollUp(one.tasks, one.statuses))).toEqual(one.progress),
);

it.each(vectors<{ name: string; messages: ServerMessage[]; held: Partial<WorkflowState> | null }>("tellings"))(
  "tells: $name",
  ({ messages, held }) => {
    const watch = new WorkflowWatch("i", UNKNOWN);
    const taken = messages.map((message) => watch.take(message));
    expect(taken.at(-1) === "gap").toBe(held === null);
    if (held === null) return;
    watch.show("open");
    expect({ ...watch.seen, cursor: (watch.ask() as { cursor?: string }).cursor }).toMatchObject(held);
    expect(watch.seen.statuses).toEqual(held.statuses);
  },
);
