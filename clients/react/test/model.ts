/** What the server does, in few lines: rooms that number states, patches by which they follow, random states. */
import fc from "fast-check";
import { isObject, own } from "../src/merge";
import type { Json, JsonObject, TopicState } from "../src/protocol";

/** Returns the merge patch that makes `next` of `old`. */
export function mergePatch(old: JsonObject, next: JsonObject): JsonObject {
  const patch = new Map<string, Json>();
  for (const name of Object.keys(old)) if (!Object.hasOwn(next, name)) patch.set(name, null);
  for (const [name, member] of Object.entries(next)) {
    const before = own(old, name);
    if (isObject(member) && isObject(before)) {
      const inner = mergePatch(before, member);
      if (Object.keys(inner).length > 0) patch.set(name, inner);
    } else if (JSON.stringify(before) !== JSON.stringify(member)) patch.set(name, member);
  }
  return Object.fromEntries(patch);
}

let rooms = 0;

/** A room: it keeps few states, so that who comes late gets the whole. */
export class Room {
  readonly epoch = `e${rooms++}`;
  readonly states: JsonObject[];

  constructor(state: JsonObject) {
    this.states = [state];
  }

  get rev(): number {
    return this.states.length;
  }

  set(state: JsonObject): void {
    this.states.push(state);
  }

  seen(cursor: string | undefined): number {
    const [epoch, rev] = (cursor ?? "").split(".");
    return epoch === this.epoch && Number(rev) <= this.rev ? Number(rev) : 0;
  }

  since(topic: string, seen: number): TopicState | null {
    if (seen === this.rev) return null;
    const from = seen > this.rev - 3 ? seen : 0;
    const now = this.states[this.rev - 1]!;
    const state = from === 0 ? now : mergePatch(this.states[from - 1]!, now);
    const cursor = `${this.epoch}.${this.rev}`;
    return { type: "topicState", topic, from, rev: this.rev, cursor, at: this.rev, state };
  }
}

const leaf = fc.oneof(fc.boolean(), fc.integer({ min: 0, max: 3 }), fc.constantFrom("", "a"));
const name = fc.constantFrom("a", "b", "1", "__proto__", "toString", "#order");
const { value } = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    leaf,
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(name, tie("value"), { maxKeys: 3, noNullPrototype: true }),
  ),
}));
export const states = fc.dictionary(name, value, { maxKeys: 4, noNullPrototype: true });
