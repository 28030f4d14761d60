/** The shape and the word of a run: of a suspended one, of what it waits for. */
import type { Live, RunRow, RunView } from "@typed-flows/react";
import type { Shape } from "../../parts/shapes";
import { text } from "../../text";

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

export const shapeOfStatus = (status: Status): Shape => shapes[status];
export const wordOfStatus = (status: Status): string => text.run.statuses[status];

/** The kind of what a suspended run waits for first: an event or an answer, then other runs, then time. */
function waited(run: Live<RunView>): "event" | "input" | "children" | "sleep" | "retry" | null {
  const open = run.steps.filter((step) => step.status === "waiting");
  if (run.status !== "suspended" || !open.length) return null;
  const kinds = new Set(open.map((step) => step.kind));
  if (kinds.has("input")) return "input";
  if (kinds.has("event")) return "event";
  if (kinds.has("map") || kinds.has("workflow")) return "children";
  return kinds.has("sleep") ? "sleep" : "retry";
}

export function shapeOf(run: Live<RunView>): Shape {
  const kind = waited(run);
  if (kind === "event" || kind === "input") return "event";
  if (kind === "children") return "children";
  return kind === "retry" ? "delayed" : shapes[run.status];
}

export function wordOf(run: Live<RunView>): string {
  const { run: words, states } = text;
  switch (waited(run)) {
    case "event":
      return states.event;
    case "input":
      return words.waitsForAnswer;
    case "children":
      return words.waitsForChildren;
    case "sleep":
      return words.sleeps;
    case "retry":
      return words.backsOff;
    default:
      return words.statuses[run.status];
  }
}
