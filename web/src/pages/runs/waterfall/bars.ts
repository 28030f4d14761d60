/** The bars of a run's steps over time, of what the run tells: pure. All times are in ms since 1970. */
import type { Live, RunView, StepView } from "@typed-flows/react";

import type { Shape } from "../../../parts/shapes";

/** What a bar was; each has a pattern of its own. */
export type Kind = "ran" | "memo" | "failed" | "backed" | "sleep" | "event" | "kids" | "undo";

export interface Bar {
  kind: Kind;
  from: number;
  to: number;
  /** Whether it goes on: it has no right end. */
  open: boolean;
  /** Of a try, which one, and what it raised. */
  attempt: number;
  error: string;
}

export interface Row {
  step: Live<StepView>;
  shape: Shape;
  bars: readonly Bar[];
  /** How long its last try took or its last wait; of what goes on, since when that is. */
  took: number;
  /** In how many visits of the run it did something. */
  visits: number;
  tries: number;
  memoised: boolean;
  undone: boolean;
}

export interface Visit {
  from: number;
  /** Null: it goes on. */
  to: number | null;
  status: string;
  error: string;
  /** The step whose failure ended it, and how many steps were undone then. */
  at: string;
  undone: number;
}

type Run = Live<RunView>;
const msOf = Date.parse;
const ENDED = new Set(["done", "failed", "cancelled"]);
const OWN = "undo:";

export const hasEnded = (run: { status: string }) => ENDED.has(run.status);

/** The visits of a run: each but the last one ended before a retry. */
export function visitsOf(run: Run): Visit[] {
  let from = msOf(run.created);
  const visits: Visit[] = run.past.map((past) => {
    const to = msOf(past.ended);
    const visit = {
      from,
      to,
      status: past.status,
      error: past.error_type ?? "",
      at: failedAt([...run.steps, ...past.steps], from, to),
      undone: past.steps.filter((step) => step.name.startsWith(OWN)).length,
    };
    from = msOf(past.next);
    return visit;
  });
  const to = hasEnded(run) ? msOf(run.since) : null;
  visits.push({
    from,
    to,
    status: run.status,
    error: run.error_type ?? "",
    at: run.status === "failed" ? failedAt(run.steps, from, to ?? Infinity) : "",
    undone: run.steps.filter((step) => step.name.startsWith(OWN) && step.status === "done").length,
  });
  return visits;
}

/** The step that failed last within a time. */
function failedAt(steps: readonly Live<StepView>[], from: number, to: number): string {
  let last = -Infinity;
  let name = "";
  for (const step of steps) {
    if (step.kind !== "run") continue;
    for (const one of step.tried) {
      const ended = msOf(one.began) + one.took * 1000;
      if (one.error_type && ended >= from && ended <= to && ended > last) [last, name] = [ended, step.name];
    }
  }
  return name;
}

/** A row for each step of a run, in the order in which they began. */
export function rowsOf(run: Run, visits: readonly Visit[], now: number): Row[] {
  const rows = new Map<string, { step: Live<StepView>; bars: Bar[]; past: boolean }>();
  for (const past of run.past)
    for (const step of past.steps) {
      const before = rows.get(step.name);
      rows.set(step.name, { step, past: true, bars: [...(before?.bars ?? []), ...barsOf(step, visits, now, true)] });
    }
  for (const step of run.steps) {
    const before = rows.get(step.name);
    const known = new Set(before?.bars.map((bar) => bar.from));
    const bars = barsOf(step, visits, now, hasEnded(run)).filter((bar) => !known.has(bar.from));
    rows.set(step.name, { step, past: false, bars: [...(before?.bars ?? []), ...bars] });
  }
  const last = visits.at(-1)!;
  const made = [...rows.values()].map(({ step, bars, past }) => {
    const end = bars.at(-1)?.to ?? 0;
    const memoised = !past && step.status === "done" && visits.length > 1 && end <= last.from;
    const undone = past ? step.undo : rows.get(OWN + step.name)?.past === false;
    const memos = past ? [] : visits.slice(1).flatMap((one) => (keeps(step, bars, one.from) ? [memo(one.from)] : []));
    return row(step, [...bars, ...memos], visits, { memoised, undone });
  });
  return made.sort((a, b) => begin(a) - begin(b));
}

const begin = (row: Row) => row.bars[0]?.from ?? Infinity;
const memo = (at: number): Bar => ({ kind: "memo", from: at, to: at, open: false, attempt: 0, error: "" });

/** Whether a step was done before a visit began, and is so still. */
function keeps(step: Live<StepView>, bars: readonly Bar[], at: number): boolean {
  return (
    step.status === "done" && bars.length > 0 && bars.every((bar) => bar.to <= at) && bars.at(-1)!.kind !== "failed"
  );
}

function row(
  step: Live<StepView>,
  bars: Bar[],
  visits: readonly Visit[],
  { memoised, undone }: { memoised: boolean; undone: boolean },
): Row {
  const own = bars.filter((bar) => bar.kind !== "memo");
  const last = own.at(-1);
  const tries = own.filter((bar) => bar.attempt > 0);
  const took = last ? (last.open ? last.to - last.from : tries.length ? tries.at(-1)! : last) : 0;
  return {
    step,
    bars,
    memoised,
    undone,
    shape: shapeOf(step, { memoised, undone }),
    took: typeof took === "number" ? took : took.to - took.from,
    tries: Math.max(step.tries, tries.length),
    visits: visits.filter((one) => own.some((bar) => bar.from >= one.from && bar.from <= (one.to ?? Infinity))).length,
  };
}

function shapeOf(step: Live<StepView>, { memoised, undone }: { memoised: boolean; undone: boolean }): Shape {
  if (step.status === "failed") return "failed";
  if (step.status === "withdrawn") return "cancelled";
  if (step.status === "waiting")
    return step.kind === "sleep" ? "sleeping" : step.total != null ? "children" : isTried(step) ? "delayed" : "event";
  if (undone || step.name.startsWith(OWN)) return "undone";
  return memoised ? "memoised" : "done";
}

const isTried = (step: Live<StepView>) => ["run", "undo", "on_failure"].includes(step.kind);

/** The bars of one record of a step; `ended`: nothing of it goes on any more. */
export function barsOf(step: Live<StepView>, visits: readonly Visit[], now: number, ended: boolean): Bar[] {
  if (isTried(step)) return triedBars(step, visits, now, ended);
  if (step.began == null) return [];
  const from = msOf(step.began);
  const waits = step.status === "waiting" && !ended;
  const until = step.until == null ? null : msOf(step.until);
  const over = step.took > 0 ? from + step.took * 1000 : step.kind === "sleep" && until !== null ? until : from;
  const kind = step.kind === "sleep" ? "sleep" : step.kind === "event" || step.kind === "input" ? "event" : "kids";
  const to = waits ? Math.max(now, from) : Math.max(over, from);
  return [
    { kind: step.kind === "emit" ? "ran" : kind, from, to, open: waits, attempt: 0, error: step.error_type ?? "" },
  ];
}

function triedBars(step: Live<StepView>, visits: readonly Visit[], now: number, ended: boolean): Bar[] {
  const bars: Bar[] = [];
  const tries = step.tried.map((one) => ({ ...one, from: msOf(one.began), to: msOf(one.began) + one.took * 1000 }));
  const visitOf = (at: number) => visits.findLastIndex((one) => one.from <= at);
  let attempt = Math.max(0, step.tries - tries.length); // of very many, the first are not told
  tries.forEach((one, i) => {
    const before = tries[i - 1];
    // A pause before another visit is no backing off: a person has let the step run again.
    const again = before !== undefined && visitOf(before.from) === visitOf(one.from);
    if (again) bars.push(backed(before.to, one.from));
    attempt = again || i === 0 ? attempt + 1 : 1;
    const kind = one.error_type ? "failed" : step.kind === "undo" ? "undo" : "ran";
    bars.push({ kind, from: one.from, to: one.to, open: false, attempt, error: one.error_type });
  });
  const last = tries.at(-1);
  if (step.status === "waiting" && last && !ended)
    bars.push({ ...backed(last.to, Math.max(now, last.to)), open: true });
  return bars;
}

const backed = (from: number, to: number): Bar => ({ kind: "backed", from, to, open: false, attempt: 0, error: "" });

/** Whether a bar is of something that ran: time in which all bars wait may be folded. */
export const isBusy = (bar: Bar) => bar.kind === "ran" || bar.kind === "failed" || bar.kind === "undo";
