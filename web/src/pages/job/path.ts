/** The way of a job: the queues that it has come through, where it is, and what the flow declares to come after. */
import type { FlowView, JobView, Live } from "@typed-flows/react";

export interface Stop {
  queue: string;
  /** `past`, `here`, or `next`. */
  is: "past" | "here" | "next";
  /** Seconds that its attempts ran, and that it waited for its children. */
  ran: number;
  attempts: number;
}

export function stopsOf(job: Live<JobView>, view: FlowView | null): Stop[] {
  const stops: Stop[] = job.path.map((visit) => ({
    queue: visit.queue,
    is: "past",
    ran: (visit.ran ?? 0) + (visit.children ?? 0),
    attempts: 1 + job.attempts.filter((one) => one.queue === visit.queue && one.verb === "retry").length,
  }));
  const last = stops.at(-1);
  if (last?.queue === job.queue) {
    last.is = "here";
    last.attempts = Math.max(job.attempt, 1);
  } else stops.push({ queue: job.queue, is: "here", ran: 0, attempts: job.attempt });
  if (job.state === "done") return stops;
  const next = new Map(view?.declared.map((queue) => [queue.name, queue.next]));
  const seen = new Set(stops.map((stop) => stop.queue));
  for (let queue = next.get(job.queue); queue && !seen.has(queue); queue = next.get(queue)) {
    seen.add(queue);
    stops.push({ queue, is: "next", ran: 0, attempts: 0 });
  }
  return stops;
}
