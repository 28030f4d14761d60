/** Why a run is where it is; of a suspended one, each thing that it waits for. */
import type { ExplanationView, Live, RunView, StepView } from "@typed-flows/react";
import { duration, time, useNow } from "../../format";
import { Button } from "../../parts/Button";
import { Mark } from "../../parts/State";
import type { Shape } from "../../parts/shapes";
import * as text from "../../text";
import { shapeOf } from "./states";
import type { Acts } from "./useActs";

/** So many steps are told of. */
const MOST = 6;
type Step = Live<StepView>;

interface Props {
  run: Live<RunView>;
  explanation: Live<ExplanationView>;
  acts: Acts;
}

export function Explained({ run, explanation, acts }: Props) {
  const open = run.status === "suspended" ? run.steps.filter((step) => step.status === "waiting") : [];
  const shape = shapeOf(run);
  const { explained } = text.run;
  const event = open.find((step) => step.kind === "event");
  const input = open.find((step) => step.kind === "input");
  return (
    <section className={`card explain of-${shape}`} aria-label={explained.title}>
      <Mark shape={shape} />
      <div>
        <p className="big">
          {open.length ? explained.waits(whats(open)) : <bdi>{sentence(explanation.sentence)}</bdi>}
        </p>
        {!open.length && explanation.remedy && <p className="sub">{sentence(explanation.remedy)}</p>}
        {open.length > 0 && (
          <ul>
            {open.slice(0, MOST).map((step) => (
              <li key={step.name}>
                <Mark shape={shapeOfStep(step)} />
                <span>
                  <b className="mono">
                    <bdi>{step.name}</bdi>
                  </b>{" "}
                  <Item step={step} />
                </span>
              </li>
            ))}
            {open.length > MOST && <li>{explained.further(open.length - MOST)}</li>}
            {open.length > 1 && open.length <= MOST && <li className="dim">{explained.wakes}</li>}
          </ul>
        )}
      </div>
      <span className="acts">
        {input && (
          <Button icon="edit" off={acts.answer.off} onPress={() => acts.answer.run(input)}>
            {explained.answerIt}
          </Button>
        )}
        {event && (
          <Button icon="send" off={acts.send.off} onPress={() => acts.send.run(event)}>
            {explained.sendEvent}
          </Button>
        )}
      </span>
    </section>
  );
}

/** The server says it without a capital and a stop, as a part of its own sentences. */
function sentence(told: string): string {
  if (!told) return "";
  return `${told.charAt(0).toUpperCase()}${told.slice(1)}${/[.!?:…]$/.test(told) ? "" : "."}`;
}

export const shapeOfStep = (step: Step): Shape =>
  step.kind === "sleep" ? "sleeping" : step.total != null ? "children" : step.kind === "run" ? "delayed" : "event";

function whats(open: readonly Step[]): string[] {
  const { explained } = text.run;
  const of = (...kinds: string[]) => open.filter((step) => kinds.includes(step.kind));
  const children = of("map", "workflow").reduce((sum, step) => sum + (step.total ?? 1) - (step.ended ?? 0), 0);
  const answers = of("input").length;
  return [
    ...[...new Set(of("event").map((step) => explained.event(step.event ?? step.name)))].slice(0, MOST),
    ...(answers ? [explained.answer(answers)] : []),
    ...(children ? [explained.children(children)] : []),
    ...(of("sleep").length ? [explained.time] : []),
    ...(of("run", "undo", "on_failure").length ? [explained.tries] : []),
  ];
}

function Item({ step }: { step: Step }) {
  const { explained } = text.run;
  const now = useNow();
  const since = step.began == null ? "" : time(step.began, now);
  const until = step.until == null ? "" : time(step.until, now);
  const left = step.until == null ? 0 : Date.parse(step.until) - now;
  switch (step.kind) {
    case "event":
      return (
        <bdi>
          {explained.eventItem(step.event === step.name ? "" : (step.event ?? ""), step.key ?? "", since)}
          {until && explained.eventUntil(until)}
        </bdi>
      );
    case "input":
      return (
        <bdi>
          {explained.answerItem(step.prompt, since)}
          {step.refused && <b className="warn">{explained.refused(step.refused)}</b>}
        </bdi>
      );
    case "map":
    case "workflow":
      return <>{explained.childrenItem(step.ended ?? 0, step.total ?? 1, step.workflow ?? "")}</>;
    case "sleep":
      return <>{explained.sleepItem(until, left > 0 ? text.parts.in(duration(left)) : text.run.steps.sleeps(""))}</>;
    default:
      return <>{explained.triesItem(step.error_type ?? "", step.tries, until)}</>;
  }
}
