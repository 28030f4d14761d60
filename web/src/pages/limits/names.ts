/** What limits and groups are called on the page. */
import type { GroupView, Live, LimitView } from "@typed-flows/react";
import * as text from "../../text";

const t = text.limits;

/** A limit that no other queue has is called after its queue and what it bounds. */
export function limitName(limit: Live<LimitView>, queue: string, by: string): string {
  if (limit.kind === "slots") {
    if (limit.per_group) return t.atOncePerGroup(queue, by);
    return limit.id === "slots" ? t.atOnce(queue) : limit.id;
  }
  if (!limit.id.startsWith(`${queue}:`)) return limit.id;
  return limit.per_group ? t.startsPerGroup(queue, by) : t.starts(queue);
}

/** Whether other queues may have it too: it has a name of its own. */
export const isShared = (limit: Live<LimitView>, queue: string) =>
  !limit.per_group && limit.id !== "slots" && !limit.id.startsWith(`${queue}:`);

/** The value of a group; one without a value is of the jobs that have none. */
export const groupName = (group: Live<GroupView>) =>
  group.group == null ? t.hidden : group.group === "" ? t.noValue : String(group.group);
