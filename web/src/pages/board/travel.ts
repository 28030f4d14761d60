/** In which order jobs travel through the queues of a flow, and which queues are inside of others. */
import type { Live, QueueView } from "@typed-flows/react";

export interface Stop {
  queue: Live<QueueView>;
  children: Stop[];
}

/** The queues that jobs of the flow itself pass, the first one first; each with its child queues. */
export function travel(queues: readonly Live<QueueView>[]): Stop[] {
  const own = queues.filter((one) => one.parent == null);
  const by = new Map(own.map((one) => [one.name, one]));
  const targets = new Set(own.map((one) => one.next).filter((name) => name != null));
  const found = new Set<Live<QueueView>>();
  const follow = (one: Live<QueueView> | undefined) => {
    for (let at = one; at && !found.has(at); at = at.next == null ? undefined : by.get(at.next)) found.add(at);
  };
  own.filter((one) => !targets.has(one.name)).forEach(follow);
  own.forEach(follow); // queues that go round in a circle have no first one
  return [...found].map((one) => stop(one, queues));
}

function stop(queue: Live<QueueView>, queues: readonly Live<QueueView>[]): Stop {
  return {
    queue,
    children: queues.filter((one) => one.parent === queue.name).map((one) => stop(one, queues)),
  };
}

/** Of a child queue, the last part of its name: `access-check:role` is `role`. */
export const shortName = (queue: string) => queue.slice(queue.lastIndexOf(":") + 1);

/** How many jobs stand in a queue. */
export const held = (queue: Live<QueueView>) => queue.waiting + queue.processing + queue.delayed + queue.children;

/** How many jobs stand in the child queues of a queue, at any depth. */
export const below = (stop: Stop): number => stop.children.reduce((sum, one) => sum + held(one.queue) + below(one), 0);
