/** The shape and the word of a run: of a suspended one, of what it waits for. */
import type { Live, RunRow, RunView } from "@typed-flows/react";
import type { Shape } from "../../parts/shapes";
import * as text from "../../text";

type Status = RunRow["status"];
const shapes: Record<Status, Shape> = {
  waiting: "waiting",
  delayed: "delayed",
  processing: "processing",
  suspended: "sleeping",
  done: "done",
  failed: "failed",
  cancelled: "cancelled",
};

/** What it waits for; where its steps are known, whether that is the next try of one. */
function waited(run: Live<RunRow> | Live<RunView>): RunRow["awaits"] | "try" {
  const open = "steps" in run ? run.steps.filter((step) => step.status === "waiting") : [];
  const tries = run.awaits === "time" && open.length > 0 && !open.some((step) => step.kind === "sleep");
  return tries ? "try" : (run.awaits ?? null);
}

export function shapeOf(run: Live<RunRow> | Live<RunView>): Shape {
  switch (waited(run)) {
    case "answer":
    case "event":
      return "event";
    case "runs":
      return "children";
    case "try":
      return "delayed";
    default:
      return shapes[run.status];
  }
}

export function wordOf(run: Live<RunRow> | Live<RunView>): string {
  const words = text.run;
  const states = text.states;
  switch (waited(run)) {
    case "answer":
      return words.waitsForAnswer;
    case "event":
      return states.event;
    case "runs":
      return words.waitsForChildren;
    case "time":
      return words.sleeps;
    case "try":
      return words.backsOff;
    default:
      return words.statuses[run.status];
  }
}

/** So far ahead is due what waits without a limit of time. */
const FAR = 365 * 86_400_000;
export const isEndless = (run: Live<RunRow>, now: number) =>
  run.status === "suspended" && Date.parse(run.since) - now > FAR;
