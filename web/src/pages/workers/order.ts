/** What is told of processes in one place: names, what stands out, how much of them is busy. */
import type { Live, WorkerView } from "@typed-flows/react";
import { msOf } from "../../format";

export type Worker = Live<WorkerView>;
export type WorkerState = WorkerView["state"];

/** What stands out comes first. */
const RANK: Record<WorkerState, number> = { blocked: 0, silent: 1, leaving: 2, works: 3, died: 4 };
export const STATES = Object.keys(RANK) as WorkerState[];

/** "api-7f9.4127": the name without its random end. */
export const shortName = (worker: Worker) =>
  worker.pid == null || !worker.host ? worker.name : `${worker.host}.${worker.pid}`;

/** One of each process: where it has workers of several flows, it says of each what it does. */
export const processesOf = (all: readonly Worker[]): Worker[] => [
  ...new Map(all.map((one) => [shortName(one), one])).values(),
];

export const slotsOf = (worker: Worker) => worker.queues.reduce((n, queue) => n + queue.slots, 0);
export const busyOf = (worker: Worker) => worker.queues.reduce((n, queue) => n + queue.busy, 0);
/** How many jobs it has that nobody else may take for now; of what it told, the longest 20 alone are listed. */
export const jobsOf = (worker: Worker) => Math.max(busyOf(worker), worker.running.length);

/** By queue, within how many ms 95 % of its jobs end. */
export type Usual = Readonly<Record<string, number>>;
const LEAST_LONG = 5_000;
const UNKNOWN_LONG = 60_000;

/** Whether a job runs for long, against those of its queue. */
export const isLong = (queue: string, ms: number, usual: Usual) =>
  ms > Math.max(LEAST_LONG, 2 * (usual[queue] ?? UNKNOWN_LONG / 2));

/** For how long a job had run when its process was heard of last: what has become of it since, nobody has told. */
export const ranFor = (worker: Worker, job: Worker["running"][number]) =>
  Math.max(0, msOf(worker.heard) - msOf(job.started));

export const longRunners = (worker: Worker, usual: Usual) =>
  worker.running.filter((job) => isLong(job.queue, ranFor(worker, job), usual)).length;

/** Sorted so that what stands out comes first. */
export function ordered(all: readonly Worker[], usual: Usual): Worker[] {
  const keyed = all.map((worker) => ({
    worker,
    rank: RANK[worker.state] * 2 - (longRunners(worker, usual) && worker.state === "works" ? 1 : 0),
  }));
  keyed.sort((a, b) => a.rank - b.rank || (a.worker.name < b.worker.name ? -1 : 1));
  return keyed.map((one) => one.worker);
}

/** How many of them have something to say. */
export const loud = (all: readonly Worker[], usual: Usual) =>
  all.filter((one) => (one.state !== "works" && one.state !== "died") || longRunners(one, usual) > 0).length;

export interface Filter {
  state: string | null;
  /** A part of its name. */
  name: string | null;
  queue: string | null;
  host: string | null;
  release: string | null;
}

export const matches = (worker: Worker, filter: Filter) =>
  (filter.name === null || worker.name.toLowerCase().includes(filter.name.toLowerCase())) &&
  (filter.queue === null || worker.queues.some((queue) => queue.queue === filter.queue)) &&
  (filter.host === null || worker.host === filter.host) &&
  (filter.release === null || worker.digest === filter.release);

/** The values of something, each once, in order. */
export const distinct = (values: readonly string[]) => [...new Set(values)].filter(Boolean).sort();

/** What so many percent of some numbers do not exceed. */
export function percentile(values: readonly number[], percent: number): number | null {
  if (!values.length) return null;
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil((sorted.length * percent) / 100) - 1)] ?? null;
}

/** The lags of all processes, beat by beat from the last one back: the most of each. */
export function lagLine(all: readonly Worker[]): number[] {
  const length = Math.max(0, ...all.map((one) => one.lags.length));
  const most = new Array<number>(length).fill(0);
  for (const { lags } of all)
    lags.forEach((lag, i) => {
      const at = length - lags.length + i;
      most[at] = Math.max(most[at]!, lag);
    });
  return most;
}

/** The first signs of a declaration's name. */
export const shortRelease = (digest: string) => digest.replace(/^.*:/, "").slice(0, 4);
