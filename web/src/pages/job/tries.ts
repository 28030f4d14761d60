/** The attempts of a job in one list: its history has those that did not simply succeed, its path the others. */
import type { AttemptView, JobView, Live, VisitView } from "@typed-flows/react";
import type { Shape } from "../../parts/shapes";
import * as text from "../../text";

const said = text.job.attempts;

export interface Try {
  queue: string;
  attempt: number | null;
  worker: string;
  ended: string | null;
  /** Seconds, of all attempts of the stay together, at its last one. */
  waited: number | null;
  ran: number | null;
  shape: Shape;
  word: string;
  error: string;
  reason: string;
}

const SHAPES: Readonly<Record<string, Shape>> = {
  retry: "failed",
  fail: "failed",
  malformed: "failed",
  rescue: "silent",
  release: "undone",
  snooze: "delayed",
  cancel: "cancelled",
  finish: "done",
  advance: "done",
  await_children: "children",
};

export function triesOf(job: Live<JobView>): Try[] {
  const left = [...job.attempts];
  const tries = job.path.flatMap((visit, n) => {
    const more = job.path.slice(n + 1).some((later) => later.queue === visit.queue);
    const mine = more ? [] : left.filter((one) => one.queue === visit.queue);
    const here = n === job.path.length - 1 && visit.queue === job.queue;
    const told = mine.map(ofHistory);
    const closed = mine.length > 0 && !["retry", "snooze", "rescue", "release"].includes(mine.at(-1)!.verb);
    if (closed) Object.assign(told.at(-1)!, timesOf(visit));
    else if (!here || !["waiting", "delayed"].includes(job.state)) told.push(ofVisit(job, visit, here));
    return told;
  });
  const known = new Set(job.path.map((visit) => visit.queue));
  return [...left.filter((one) => !known.has(one.queue)).map(ofHistory), ...tries];
}

const timesOf = (visit: Live<VisitView>) => ({ waited: visit.waited, ran: visit.ran ?? null });

function ofHistory(one: Live<AttemptView>): Try {
  return {
    queue: one.queue,
    attempt: one.attempt,
    worker: one.worker,
    ended: one.ended,
    waited: null,
    ran: null,
    shape: SHAPES[one.verb] ?? "waiting",
    word: said.verb(one.verb),
    error: one.error_type ? `${one.error_type} · ${one.error_message ?? ""}` : "",
    reason: one.reason ?? "",
  };
}

function ofVisit(job: Live<JobView>, visit: Live<VisitView>, here: boolean): Try {
  const state = here ? job.state : visit.children == null ? "done" : "children";
  const word =
    state === "processing"
      ? said.present
      : here && state !== "children"
        ? text.states[state]
        : said.ended[state === "children" ? "children" : "done"];
  return {
    queue: visit.queue,
    attempt: here ? job.attempt : null,
    worker: here ? job.worker : "",
    ended: here && ["done", "failed", "cancelled"].includes(job.state) ? job.since : null,
    ...timesOf(visit),
    shape: state,
    word,
    error: "",
    reason: here && job.state === "processing" ? job.message : "",
  };
}
