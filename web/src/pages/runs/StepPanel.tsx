/** The chosen step: what it did, what it gave, the runs that it has started, and what a fork from it would do. */
import type { Live, RunView, StepView } from "@typed-flows/react";
import { useEffect, useState, type ReactNode } from "react";
import { ask } from "../../ask";
import { duration, time, timeExact } from "../../format";
import { Button } from "../../parts/Button";
import { Card } from "../../parts/Card";
import { Facts } from "../../parts/Facts";
import { Json } from "../../parts/Json";
import { Mark, State } from "../../parts/State";
import * as text from "../../text";
import { Children } from "./Children";
import { shapeOfStep } from "./Explained";
import { isOwn, takenOver } from "./fork";
import type { Acts } from "./useActs";

type Step = Live<StepView>;
/** So many names are told of. */
const NAMES = 4;

interface Props {
  run: Live<RunView>;
  step: Step | null;
  place: number;
  total: number;
  acts: Acts;
}

export function StepPanel({ run, step, place, total, acts }: Props) {
  const { step: words } = text.run;
  if (!step) return total ? <Card className="pad sub">{words.pick}</Card> : null;
  const shape =
    step.status === "waiting"
      ? shapeOfStep(step)
      : step.status === "failed"
        ? "failed"
        : step.status === "withdrawn"
          ? "cancelled"
          : "done";
  return (
    <Card
      className="steppanel"
      title={
        <span className="gap">
          <Mark shape={shape} />
          <bdi className="mono">{step.name}</bdi>
        </span>
      }
      more={words.place(place, total)}
    >
      <div className="pad">
        <StepFacts
          run={run}
          step={step}
          shape={
            step.status === "waiting" && step.kind === "input" ? (
              <State shape={shape} word={text.run.waitsForAnswer} />
            ) : (
              <State shape={shape} />
            )
          }
        />
      </div>
      {step.status === "waiting" && (step.kind === "event" || step.kind === "input") && (
        <div className="sec">
          {step.kind === "event" ? (
            <Button icon="send" off={acts.send.off} onPress={() => acts.send.run(step)}>
              {words.sendEvent}
            </Button>
          ) : (
            <Button icon="edit" off={acts.answer.off} onPress={() => acts.answer.run(step)}>
              {words.answer}
            </Button>
          )}
        </div>
      )}
      {step.total != null && run.steps.includes(step) && (
        <div className="sec">
          <h3>{words.children}</h3>
          <Children key={step.name} run={run.id} step={step} />
        </div>
      )}
      {step.error_message != null && (
        <div className="sec">
          <h3>{words.error}</h3>
          <p className="err wraps">
            <bdi>
              {step.error_type}: {step.error_message}
            </bdi>
          </p>
        </div>
      )}
      {step.total == null && step.result != null && <Result run={run} step={step} />}
      <Fork run={run} step={step} acts={acts} />
    </Card>
  );
}

function StepFacts({ run, step, shape }: { run: Live<RunView>; step: Step; shape: ReactNode }) {
  const { step: words } = text.run;
  const last = step.tried.at(-1);
  const began = last?.began ?? step.began;
  const waits = step.status === "waiting";
  const before = step.tried.length - step.tries;
  const undone = run.steps.some((one) => one.name === `undo:${step.name}` && one.status === "done");
  return (
    <Facts
      of={[
        [words.state, shape],
        began == null
          ? null
          : [
              words.ran,
              <span title={timeExact(began)}>
                {waits && !last
                  ? words.since(time(began))
                  : words.ranAt(time(began), duration((last?.took ?? step.took) * 1000))}
              </span>,
            ],
        step.tries > 0 ? [words.tries, words.triesOf(step.tries, Math.max(0, before))] : null,
        waits && step.until != null ? [words.until, time(step.until)] : null,
        step.undo ? [words.undo, undone ? words.undoDone : words.undoTold] : null,
        step.event == null
          ? null
          : [words.event, <bdi className="wraps">{words.eventOf(step.event, step.key ?? "")}</bdi>],
        step.prompt ? [words.asks, <bdi className="wraps">{step.prompt}</bdi>] : null,
        step.refused ? [words.refused, <bdi className="wraps">{step.refused}</bdi>] : null,
        step.total == null ? null : [words.runs, words.runsOf(step.ended ?? 0, step.total, step.workflow ?? "")],
        step.tries > 0
          ? [
              words.key,
              <bdi className="mono wraps">
                {run.id}:{step.name}
              </bdi>,
            ]
          : null,
      ]}
    />
  );
}

function Result({ run, step }: { run: Live<RunView>; step: Step }) {
  const { step: words } = text.run;
  const [whole, setWhole] = useState<StepView | null>(null);
  useEffect(() => setWhole(null), [step]);
  const showAll = async () => {
    const found = await ask("runs.show", { id: run.id, whole: true });
    setWhole(found.steps.find((one) => one.name === step.name) ?? null);
  };
  return (
    <div className="sec">
      <h3>{words.result}</h3>
      <div className="result">
        <Json value={(whole ?? step).result} />
      </div>
      {step.cut && !whole && (
        <p className="sub gap">
          {words.cut}
          <Button look="small" onPress={() => void showAll()}>
            {words.whole}
          </Button>
        </p>
      )}
    </div>
  );
}

function Fork({ run, step, acts }: { run: Live<RunView>; step: Step; acts: Acts }) {
  const { step: words } = text.run;
  const { kept, again } = takenOver(run, step.name);
  const own = isOwn(step.name) || !run.steps.some((one) => one.name === step.name);
  const off = own ? words.notForkable : acts.fork.off;
  return (
    <>
      <div className="sec">
        <h3>{words.forkTitle}</h3>
        {own ? (
          <p className="sub">{words.notForkable}</p>
        ) : (
          <p>
            <bdi>
              {words.forkRuns(step.name)} {words.forkKeeps(kept.slice(0, NAMES), kept.length)}{" "}
              {words.forkAgain(again.slice(0, NAMES), again.length)}
            </bdi>
          </p>
        )}
      </div>
      <div className="sec acts">
        <Button icon="fork" look="pri" off={off} onPress={() => acts.fork.run(step.name)}>
          {words.fork}
        </Button>
      </div>
    </>
  );
}
