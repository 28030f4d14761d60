/** What groups got, and what is due to them by their shares. */
import type { GroupView, Live } from "@typed-flows/react";

type Group = Live<GroupView>;

/** Held ones first, then parked ones, then by how many wait. */
export function inOrder(groups: readonly Group[]): Group[] {
  const rank = (one: Group) => (one.held ? 0 : one.parked ? 1 : 2);
  return groups.toSorted((a, b) => rank(a) - rank(b) || b.waiting - a.waiting || b.share - a.share);
}

/** Whether it is known what groups have taken: they have tokens or slots of their own. */
export const isCounted = (groups: readonly Group[]) =>
  groups.some((one) => one.in_flight != null || one.limits.some((limit) => limit.kind === "limiter"));

/** What a group has taken: tokens of its limiter within its interval, or else slots. */
export const gotOf = (group: Group) => group.limits.find((one) => one.kind === "limiter")?.used ?? group.in_flight ?? 0;

export interface Due {
  /** Parts of all that was taken, 0 to 1. */
  got: number;
  due: number;
  taken: number;
  /** The longest bar of all is 1. */
  gotBar: number;
  dueBar: number;
}

/** By its share, against those that have something to start or that run. */
export function dues(groups: readonly Group[]): Map<Group, Due> {
  const active = groups.filter((one) => one.waiting > 0 || gotOf(one) > 0);
  const taken = active.reduce((sum, one) => sum + gotOf(one), 0);
  const shares = active.reduce((sum, one) => sum + one.share, 0);
  const part = active.map((one) => ({
    one,
    got: taken ? gotOf(one) / taken : 0,
    due: shares && (taken || !isCounted(groups)) ? one.share / shares : 0,
  }));
  const most = Math.max(...part.map((one) => Math.max(one.got, one.due)), 1e-9);
  return new Map(
    part.map(({ one, got, due }) => [one, { got, due, taken: gotOf(one), gotBar: got / most, dueBar: due / most }]),
  );
}
