/** What is said of steps and bars in a few words. */
import { duration } from "../../../format";
import * as text from "../../../text";
import type { Bar, Row } from "./bars";

export function barTitle(bar: Bar, tries: number): string {
  const { bars } = text.run.steps;
  const took = duration(bar.to - bar.from);
  switch (bar.kind) {
    case "memo":
      return bars.memo;
    case "failed":
      return bars.failed(took, bar.attempt, bar.error);
    case "ran":
      return bars.ran(took, bar.attempt, tries);
    default:
      return bars[bar.kind](took);
  }
}

/** Beside a step's name: what it is, or what is unusual about it. */
export function label({ step, memoised, undone, tries, visits, took }: Row): string {
  const { steps } = text.run;
  const left = step.until == null ? 0 : Date.parse(step.until) - Date.now();
  const leftText = left > 0 ? duration(left < 10_000 ? Math.ceil(left / 1000) * 1000 : left) : "";
  const waits = step.status === "waiting";
  if (step.status === "withdrawn") return steps.withdrawn;
  switch (step.kind) {
    case "sleep":
      return waits ? steps.sleeps(leftText) : memoised ? steps.memoised : steps.slept(duration(took));
    case "event":
      return waits ? steps.waits : memoised ? steps.memoised : steps.waited;
    case "input":
      return waits ? steps.asks : memoised ? steps.memoised : steps.asked;
    case "map":
      return memoised ? steps.memoised : steps.map(step.ended ?? 0, step.total ?? 0);
    case "workflow":
      return memoised ? steps.memoised : steps.child;
    case "emit":
      return steps.started;
  }
  if (memoised) return steps.memoised;
  if (waits && step.tries > 0) return steps.nextTry(leftText);
  if (tries > 1) return steps.tries(tries, visits);
  if (undone) return steps.undone;
  return step.kind === "undo" ? steps.undoes : "";
}
