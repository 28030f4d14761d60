import fc from "fast-check";
import { expect, it } from "vitest";
import type { TopicState } from "../src/protocol";
import { type Held, take } from "../src/state";
import { Room, states } from "./model";

const steps = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: states.map((state) => ({ do: "set" as const, state })) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant("send" as const), times: fc.nat(2), late: fc.boolean() }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("cut" as const) }) },
    { weight: 1, arbitrary: states.map((state) => ({ do: "restart" as const, state })) },
  ),
  { maxLength: 30 },
);

it("holds the server's state after any loss, repetition and disorder", () => {
  fc.assert(
    fc.property(states, steps, (first, history) => {
      let room = new Room(first);
      let held: Held | null = null;
      let seen = 0;
      let late: TopicState[] = [];
      const known = new Map<string, string>();

      const hear = (message: TopicState) => {
        const next = take(held, message);
        if (next === null) seen = 0;
        else held = next;
        // Whatever is held is a state that the server had, of the revision that it is said to be.
        if (held !== null) expect(JSON.stringify(sorted(held.state))).toBe(known.get(held.cursor));
      };
      const note = () => known.set(`${room.epoch}.${room.rev}`, JSON.stringify(sorted(room.states[room.rev - 1]!)));
      note();

      for (const step of history) {
        if (step.do === "set") room.set(step.state);
        else if (step.do === "send") {
          const message = room.since("t", seen);
          if (message === null) continue;
          seen = room.rev; // the server does not know what arrives
          if (step.late) late.push(message);
          else {
            for (let n = 0; n < step.times; n++) hear(message);
            late.forEach(hear);
            late = [];
          }
        } else {
          if (step.do === "restart") room = new Room(step.state);
          late = []; // no message outlives its connection
          seen = room.seen((held as Held | null)?.cursor);
        }
        note();
      }
      seen = room.seen((held as Held | null)?.cursor);
      const last = room.since("t", seen);
      if (last !== null) hear(last);
      expect(held!.state).toStrictEqual(room.states[room.rev - 1]);
    }),
    { numRuns: 1000 },
  );
});

it("does not put a patch on a state in between", () => {
  const room = new Room({ x: 1 });
  let held = take(null, room.since("t", 0)!)!;
  room.set({ x: 2 });
  held = take(held, room.since("t", 1)!)!;
  room.set({ x: 1 });
  expect(take(held, room.since("t", 1)!)).toBeNull(); // {} would leave x at 2
  expect(take(held, room.since("t", 2)!)!.state).toEqual({ x: 1 });
});

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.entries(value)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, member]) => [name, sorted(member)]);
}
