/** Two releases of a flow side by side: by what they do, and by what they declare. */
import { writeJson } from "../../exact";
import { seconds } from "../../format";

const s = (n: number, one: string, many: string) => (n === 1 ? one : many);
const atOnce = (n: unknown) => (n === 0 || n === null ? "any number at once" : `${n} at once`);
const time = (value: unknown) => (typeof value === "number" ? seconds(value) : "none");
const limit = (value: unknown) => {
  const of = value as { reservoir: number; interval: number; per_group: boolean } | null;
  return of === null ? "none" : `${of.reservoir} each ${seconds(of.interval)}${of.per_group ? " per group" : ""}`;
};
const field = (value: unknown) => {
  const of = value as { type: string; default: unknown; required: boolean } | null;
  if (of === null) return "none";
  return of.required || of.default === null ? of.type : `${of.type} = ${writeJson(of.default)}`;
};
const list = (value: unknown) => (Array.isArray(value) && value.length ? value.join(", ") : "none");

/** How a thing that is declared is called, and how its values are written. */
const kinds: Record<string, { name: string; write: (value: unknown) => string; means: string }> = {
  next: {
    name: "next queue",
    write: (value) => String(value ?? "none"),
    means: "each process leads the way that it declares",
  },
  timeout: { name: "timeout", write: time, means: "each process keeps to its own" },
  max_attempts: { name: "attempts", write: String, means: "each process keeps to its own" },
  backoff: {
    name: "pauses between attempts",
    write: (value) => list(Array.isArray(value) ? value.map(time) : value),
    means: "each process keeps to its own",
  },
  slots: { name: "slots", write: atOnce, means: "the newest declaration is in force, unless it was set by hand" },
  slots_per_group: { name: "slots per group", write: atOnce, means: "the newest declaration is in force" },
  priorities: { name: "priorities", write: String, means: "jobs of both go into the same lists" },
  grouped_by: {
    name: "groups by",
    write: (value) => String(value ?? "none"),
    means: "the newest declaration is in force",
  },
  limit: { name: "limit", write: limit, means: "the newest declaration is in force, unless it was set by hand" },
  lookups: { name: "found by", write: list, means: "jobs are found by it from then on" },
  ttl: { name: "jobs live", write: time, means: "jobs keep what they were created with" },
  done: { name: "done jobs are kept", write: time, means: "for jobs that end from now on" },
  failed: { name: "failed jobs are kept", write: time, means: "for jobs that end from now on" },
  cancelled: { name: "cancelled jobs are kept", write: time, means: "for jobs that end from now on" },
  lease: { name: "lease", write: time, means: "each process keeps to its own" },
  max_payload: { name: "most bytes of a job", write: String, means: "checked where jobs are created" },
};

export const releases = {
  deploy: "Deploy",
  to: "→",
  since: (age: string) => `since ${age}`,
  story: (now: number, all: number, at: string, leaving: number, busy: number, old: number) =>
    `${now} of ${all} processes ${s(now, "is", "are")} new since ${at}.` +
    (leaving ? ` ${leaving} ${s(leaving, "is", "are")} leaving with ${busy} ${s(busy, "job", "jobs")} in flight` : "") +
    (leaving && old ? ", " : leaving ? "." : old ? " " : "") +
    (old ? `${old} still ${s(old, "is", "are")} to be told.` : ""),
  roll: (now: number, leaving: number, old: number) => `${now} new, ${leaving} leaving, ${old} old`,
  old: (digest: string) => `${digest} · old`,
  new: (digest: string) => `${digest} · new`,
  one: (digest: string) => `All are of one release, ${digest}, the last of which came`,
  compareWith: (digest: string) => `Compare with ${digest}`,
  hide: "Hide the comparison",
  rows: {
    processes: "processes",
    perMinute: "attempts a minute",
    failed: "failed",
    start: "time to start, p95",
    run: "run time, p95",
    rss: "memory a process",
    lag: "loop lag, most",
  },
  same: "the same",
  times: (n: string, word: string) => `${n} times ${word}`,
  far: (word: string) => `far ${word}`,
  percent: (n: string, word: string) => `${n} ${word}`,
  words: {
    fewer: "fewer",
    more: "more",
    faster: "faster",
    slower: "slower",
    less: "less",
  },
  declares: "What the new release declares",
  nothing: "Both declare the same: only their code differs.",
  unknown: "What the older one declares is not known any more.",
  what: "what",
  changed: (digest: string) => `changed in ${digest}`,
  means: "what it means now",
  ofFlow: "the flow",
  became: "became",
  queueNew: "new queue",
  queueGone: "no queue any more",
  queueNewMeans: (digest: string) => `served by ${digest} alone`,
  queueGoneMeans: "what waits there is for the old release: keep it until it is empty",
  field: "field",
  fieldGone: "is gone: older jobs fit, it is not read",
  fieldFits: "has a default: older jobs fit",
  fieldMisfit: "older jobs lack it: they wait for the old release, then fail",
  fieldChanged: "older jobs may not fit: those wait for the old release, then fail",
  kind: (what: string) => kinds[what]?.name ?? what,
  write: (what: string, value: unknown) =>
    what === "field" ? field(value) : (kinds[what]?.write(value) ?? writeJson(value)),
  meaning: (what: string) => kinds[what]?.means ?? "",
  both: "Both may work side by side. A job that only one of them knows waits until one of its processes is free.",
};
