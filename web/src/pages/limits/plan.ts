/** What a change of a limit would do, said before it is made. */
import type { GroupView, Live, LimitView } from "@typed-flows/react";
import * as text from "../../text";
import { groupName } from "./names";
import { typed } from "./spans";

const t = text.limits.edit;

export interface Change {
  limit: Live<LimitView>;
  now: number;
  /** Seconds; null of slots. */
  interval: number | null;
  waiting: number;
  /** Those of the queue, where it has some. */
  groups: readonly Live<GroupView>[];
  by: string;
  /** How many queues share it. */
  queues: number;
  /** The other limits of its queue. */
  others: readonly Live<LimitView>[];
}

/** The sentences, in order. */
export function plan(change: Change): string {
  const { limit, queues, others, groups } = change;
  const said = [limit.kind === "slots" ? slots(change) : starts(change)];
  said.push(queues > 1 ? t.holdsAll(queues) : t.holds);
  const each = others.find((one) => one.per_group && one.kind === "limiter");
  if (!limit.per_group && each) said.push(t.groupsStay(text.limits.ownTokens(each.live, each.interval ?? 0)));
  const own = limit.per_group ? groups.filter((one) => hasOwn(one, limit)).length : 0;
  if (own) said.push(t.ownStay(own));
  said.push(t.stays);
  return said.join(" ");
}

function starts({ limit, now, interval, waiting, groups, by }: Change): string {
  const after = interval ?? limit.interval ?? 1;
  const before = limit.interval ?? 1;
  const need = (jobs: number, tokens: number, seconds: number) => (jobs / tokens) * seconds * 1000;
  if (limit.per_group) {
    const most = groups.reduce<Live<GroupView> | null>((a, b) => (b.waiting > (a?.waiting ?? 0) ? b : a), null);
    if (!most) return t.nothingWaits(now, typed(after));
    return t.needGroup(
      now,
      typed(after),
      `${by} ${groupName(most)}`,
      most.waiting,
      need(most.waiting, now, after),
      need(most.waiting, limit.live, before),
    );
  }
  if (!waiting) return t.nothingWaits(now, typed(after));
  return t.need(now, typed(after), waiting, need(waiting, now, after), need(waiting, limit.live, before));
}

function slots({ limit, now }: Change): string {
  const used = limit.used ?? 0;
  if (limit.used == null) return t.slotsSame;
  return now >= used ? t.moreSlots(now - used) : t.fewerSlots(used - now);
}

/** Whether a group has another number than all have. */
export function hasOwn(group: Live<GroupView>, limit: Live<LimitView>): boolean {
  const its = group.limits.find((one) => one.id === limit.id);
  return its !== undefined && (its.live !== limit.live || its.interval !== limit.interval);
}
