/** Entries of the log by what was asked: each stands there twice, as asked and with what came of it. */
import type { ActionView, Live } from "@typed-flows/react";
import { at, jobAt, jobsAt, withParams } from "../../route";
import * as text from "../../text";

export type Entry = Live<ActionView>;

/** Joins what was asked with what came of it, newest first; of what is under way, `word` is "asked". */
export function joined(entries: readonly Entry[]): Entry[] {
  const found = new Map<string, Entry>();
  for (const entry of entries) {
    const newer = found.get(entry.request);
    // The older of the two is what was asked: it has all that was given, and the time at which somebody did it.
    if (newer === undefined) found.set(entry.request, entry);
    else if (entry.word === "asked") found.set(entry.request, { ...newer, at: entry.at, given: entry.given });
  }
  return [...found.values()];
}

/** Whether an action was refused: its word is then the error's name. */
export const isRefused = (entry: Entry) => /^[A-Z]/.test(entry.word);

/** What is meant by a word of the address `doing`. */
export const KINDS = {
  all: "",
  limits: "queues.set_limit|queues.set_concurrency|queues.set_share|queues.hold",
  pauses: "queues.pause|queues.resume|queues.drain",
  jobs: "jobs",
  many: "bulk",
  runs: "runs",
  schedules: "schedules",
  processes: "workers|server",
} as const;

const LIMITS = KINDS.limits.split("|");
const word = (value: unknown) => (typeof value === "string" ? value : "");

/** Where one sees what an action was about. */
export function links(entry: Entry): { text: string; to: string }[] {
  const { operation, flow, given, about } = entry;
  const { open } = text.audit;
  const found: { text: string; to: string }[] = [];
  const group = operation.split(".")[0];
  const root = flow.split(":")[0]!;
  if (operation === "bulk.apply") {
    if (word(given.query)) found.push({ text: open.query, to: jobsAt(word(given.query)) });
    if (about) found.push({ text: open.bulk, to: jobAt(`flows.bulk.${root}`, about) });
  } else if (group === "jobs" && about) found.push({ text: open.job, to: jobAt(flow, about) });
  else if (group === "runs" && about) found.push({ text: open.run, to: at("runs", about) });
  else if (group === "schedules") found.push({ text: open.schedule, to: "schedules" });
  else if (LIMITS.includes(operation)) found.push({ text: open.limits, to: withParams("limits", { flow: root }) });
  else if (group === "queues" && word(given.queue))
    found.push({ text: open.queue, to: jobsAt(`flow:${root} queue:${word(given.queue)}`) });
  else if (operation === "workers.dump")
    found.push({ text: open.process, to: withParams("workers", { process: word(given.process) }) });
  return found;
}

/** The entries by day, in the order in which they are. */
export function byDay(entries: readonly Entry[], dayOf: (at: string) => string): [string, Entry[]][] {
  const days: [string, Entry[]][] = [];
  for (const entry of entries) {
    const day = dayOf(entry.at);
    const last = days.at(-1);
    if (last && last[0] === day) last[1].push(entry);
    else days.push([day, [entry]]);
  }
  return days;
}
