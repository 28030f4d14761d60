/** Sets a limit, for all or for one group, and lets that be undone for some seconds. */
import type { Live, LimitView, QueueView } from "@typed-flows/react";
import { useToast } from "../../parts/Toast";
import * as text from "../../text";
import { useActing } from "../../parts/useActing";
import { typed } from "./spans";

const t = text.limits;
const UNDO_MS = 5_000;

export interface Wanted {
  live: number;
  /** Seconds; null of slots. */
  interval: number | null;
}

export function useSetting(queue: Live<QueueView>, limit: Live<LimitView>, name: string) {
  const toast = useToast();
  const { busy, run } = useActing();
  const of = { flow: queue.flow, queue: queue.name };
  const as = (id: string) => queue.limits.find((one) => one.id === id);

  /** Null: as declared, or of a group, as all groups have it. */
  async function put(wanted: Wanted | null, group?: string): Promise<boolean> {
    const its = group === undefined ? {} : { group };
    if (limit.kind === "limiter") {
      const numbers = wanted && { reservoir: wanted.live, interval: wanted.interval };
      return (await run("queues.set_limit", { ...of, ...its, limiter: limit.id, ...numbers })) !== null;
    }
    const live = wanted?.live ?? null;
    if (group !== undefined) return (await run("queues.set_concurrency", { ...of, group, most: live })) !== null;
    // Both numbers are set together: the other one stays what it is.
    const other = limit.per_group
      ? queue.limits.find((one) => one.kind === "slots" && !one.per_group)
      : as("slots_per_group");
    const rest = other && other.live !== other.declared ? other.live : null;
    const numbers = limit.per_group ? { per_group: live, most: rest } : { most: live, per_group: rest };
    return (await run("queues.set_concurrency", { ...of, ...numbers })) !== null;
  }

  /** Sets it, and offers to undo that. */
  async function set(wanted: Wanted | null, before: Wanted | null, group?: string): Promise<boolean> {
    if (!(await put(wanted, group))) return false;
    const says = wanted && t.edit.done(name, wanted.live, wanted.interval === null ? "" : typed(wanted.interval));
    toast(says ?? (group === undefined ? t.isAsDeclared(name) : t.isAsAll(name)), {
      lasts: UNDO_MS,
      undo: () => void put(before, group).then((done) => done && toast(t.edit.undone(name))),
    });
    return true;
  }

  const isDeclared = limit.live === limit.declared;
  const present = { live: limit.live, interval: limit.interval ?? null };
  return {
    busy,
    set: (wanted: Wanted) => set(wanted, isDeclared ? null : present),
    asDeclared: () => set(null, present),
    setGroup: set,
  };
}
