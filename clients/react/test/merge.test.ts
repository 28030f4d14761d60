import fc from "fast-check";
import { expect, it } from "vitest";
import { applyPatch, share } from "../src/merge";
import { plain } from "../src/plain";
import type { Json } from "../src/protocol";
import { mergePatch, states } from "./model";

it("makes the new state of the old, and leaves the old as it was", () => {
  fc.assert(
    fc.property(states, states, (old, next) => {
      const before = JSON.stringify(old);
      expect(applyPatch(old, mergePatch(old, next))).toStrictEqual(next);
      expect(share(old, next)).toStrictEqual(next);
      expect(JSON.stringify(old)).toBe(before);
    }),
  );
});

it("keeps what is equal, at any depth", () => {
  fc.assert(
    fc.property(states, states, (old, next) => {
      for (const after of [applyPatch(old, mergePatch(old, next)), share(old, structuredCloneOf(next))])
        same(old, after);
      expect(share(old, structuredCloneOf(old))).toBe(old);
    }),
  );

  function same(before: Json | undefined, after: Json): void {
    if (typeof after !== "object" || after === null || typeof before !== "object" || before === null) return;
    // toStrictEqual knows no order of members, as JSON has none
    if (equal(before, after)) return expect(after).toBe(before);
    if (Array.isArray(before) !== Array.isArray(after)) return;
    for (const [name, member] of Object.entries(after))
      if (Object.hasOwn(before, name)) same((before as Record<string, Json>)[name], member);
  }
});

it("makes lists of unchanged parts once", () => {
  const row = { name: "a", tags: [] };
  const state = { queues: { "#order": ["a", "b"], a: row, b: { name: "b", waiting: 1 } } };
  const first = plain(state) as { queues: Json[] };
  const second = plain(applyPatch(state, { queues: { b: { waiting: 2 } } })) as { queues: Json[] };
  expect(second.queues[0]).toBe(first.queues[0]);
  expect(second.queues[1]).toEqual({ name: "b", waiting: 2 });
  expect(plain(state)).toBe(first);
});

function structuredCloneOf<T extends Json>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

function equal(one: Json, other: Json): boolean {
  try {
    expect(one).toStrictEqual(other);
    return true;
  } catch {
    return false;
  }
}
