/**
 * What a job did when, as bars. The server tells for each queue how long it waited, ran and awaited children, and when
 * attempts failed; how these lie between its creation and now follows from that.
 */
import type { AttemptView, JobState, Live, VisitView } from "@typed-flows/react";

export type Bar = {
  /** `w` waited, `ran` ended well, `failed` an attempt that did not, `running` goes on, `kids` awaited its children. */
  kind: "w" | "ran" | "failed" | "running" | "kids";
  /** ms since 1970 */
  from: number;
  to: number;
  /** Of an attempt: its number. */
  attempt?: number;
};

export interface Stay {
  queue: string;
  bars: Bar[];
  state: JobState;
}

/** What is known of a job or of a child of one. */
export interface Told {
  state: JobState;
  queue: string;
  created: string;
  since: string;
  path: readonly Live<VisitView>[];
  attempts?: readonly Live<AttemptView>[];
}

const ENDED: readonly JobState[] = ["done", "failed", "cancelled"];
/** These attempts come again; the last one of a queue stands in the job itself. */
const AGAIN: readonly string[] = ["retry", "snooze", "rescue", "release"];

/** The stays of a job in its queues, in the order of its way. */
export function staysOf(job: Told, now: number): Stay[] {
  const since = Date.parse(job.since);
  const ended = ENDED.includes(job.state);
  const end = ended ? since : now;
  let at = Date.parse(job.created);
  const stays: Stay[] = [];
  const rest = job.path.map((_, n) => job.path.slice(n + 1).reduce((sum, one) => sum + lengthOf(one), 0));
  job.path.forEach((visit, n) => {
    const last = n === job.path.length - 1;
    const stay: Stay = { queue: visit.queue, bars: [], state: "done" };
    const again = againIn(job.attempts ?? [], visit.queue, at, n, job.path);
    const present = last && visit.queue === job.queue;
    const running = present && job.state === "processing";
    const ran = visit.ran == null ? 0 : visit.ran * 1000;
    const runs = again.length + (present && (job.state === "waiting" || job.state === "delayed" || running) ? 0 : 1);
    const each = runs > 0 ? ran / runs : 0;
    for (const { ended: over, attempt } of again) {
      const to = Math.max(at, Date.parse(over));
      const from = Math.max(at, to - each);
      push(stay, "w", at, from);
      push(stay, "failed", from, to, attempt);
      at = to;
    }
    if (present && job.state === "waiting") push(stay, "w", at, now);
    else if (present && job.state === "delayed") push(stay, "w", at, now);
    else if (running) {
      push(stay, "w", at, since);
      push(stay, "running", Math.max(at, since), now);
    } else {
      const kids = present && job.state === "children" ? Math.max(0, now - since) : (visit.children ?? 0) * 1000;
      // What is not told, a pause between two attempts, lies before the last one.
      const free = end - rest[n]! * 1000 - kids - each;
      const start = again.length || last ? Math.max(at, free) : at + visit.waited * 1000;
      push(stay, "w", at, start);
      const failed = present && job.state !== "done" && ended;
      if (job.state !== "children" || !present || each > 0) push(stay, failed ? "failed" : "ran", start, start + each);
      at = start + each;
      push(stay, "kids", at, at + kids);
      at += kids;
    }
    stay.state = present ? job.state : "done";
    stays.push(stay);
  });
  if (stays.at(-1)?.queue !== job.queue) stays.push(fresh(job, at, now, ended ? since : null));
  return stays;
}

/** The stay in a queue from which no worker has taken it yet. */
function fresh(job: Told, at: number, now: number, ended: number | null): Stay {
  const stay: Stay = { queue: job.queue, bars: [], state: job.state };
  push(stay, "w", at, ended ?? now);
  return stay;
}

function lengthOf(visit: Live<VisitView>): number {
  return visit.waited + (visit.ran ?? 0) + (visit.children ?? 0);
}

/** The attempts of one stay that came again: a job may come to a queue twice. */
function againIn(
  attempts: readonly Live<AttemptView>[],
  queue: string,
  from: number,
  n: number,
  path: readonly Live<VisitView>[],
): readonly Live<AttemptView>[] {
  const later = path.slice(n + 1).some((visit) => visit.queue === queue);
  const until = later ? from + lengthOf(path[n]!) * 2000 : Infinity;
  return attempts.filter(
    (one) =>
      one.queue === queue &&
      AGAIN.includes(one.verb) &&
      Date.parse(one.ended) >= from &&
      Date.parse(one.ended) <= until,
  );
}

function push(stay: Stay, kind: Bar["kind"], from: number, to: number, attempt?: number) {
  if (to > from || kind === "failed" || kind === "ran" || kind === "running")
    stay.bars.push(attempt === undefined ? { kind, from, to } : { kind, from, to, attempt });
}

export const lastedOf = (stay: Stay): number => (stay.bars.length ? stay.bars.at(-1)!.to - stay.bars[0]!.from : 0);

/** The span of all bars, and five times in it for the axis. */
export function spanOf(stays: readonly Stay[]): { from: number; to: number } {
  const bars = stays.flatMap((stay) => stay.bars);
  const from = Math.min(...bars.map((bar) => bar.from));
  const to = Math.max(...bars.map((bar) => bar.to));
  return Number.isFinite(from) ? { from, to: Math.max(to, from + 1) } : { from: 0, to: 1 };
}
