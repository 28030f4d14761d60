/** The board of a flow that was never used: what is there, what is missing, and the commands that bring it. */
import type { Live, QueueView } from "@typed-flows/react";
import { useWhyNot } from "../../me";
import { Button } from "../../parts/Button";
import { Card } from "../../parts/Card";
import { Command } from "../../parts/Command";
import { State } from "../../parts/State";
import { Title } from "../../parts/Title";
import { navigate, withParams } from "../../route";
import * as text from "../../text";
import { held, travel } from "./travel";

const t = text.board.fresh;

/** Whether nothing was ever in a queue. */
export const isFresh = (queue: Live<QueueView>) =>
  held(queue) === 0 && queue.failed + queue.cancelled === 0 && !Object.values(queue.counts).some(Boolean);

export function Fresh({ flow, queues }: { flow: string; queues: readonly Live<QueueView>[] }) {
  const whyNot = useWhyNot();
  const workers = Math.max(...queues.map((one) => one.workers));
  const stops = travel(queues);
  return (
    <div className="stack-page">
      <Title title={text.frame.board} sub={<bdi>{t.sub(flow)}</bdi>} />
      <Card>
        <div className="hello">
          <h2>{t.head(flow)}</h2>
          <p className="sub">{t.what(queues.length, workers > 0)}</p>
          <div className="steps">
            <div>
              <State shape="ok" word={t.declared} quiet />
              <span>{t.declaredWhat}</span>
            </div>
            <div>
              <State shape={workers ? "ok" : "silent"} word={workers ? t.served : t.noWorker} quiet />
              <span>{workers ? t.servedWhat(workers) : t.noWorkerWhat}</span>
              {!workers && <Command line={t.run(flow)} />}
            </div>
            <div>
              <State shape="waiting" word={t.noJob} quiet />
              <span>{t.noJobWhat}</span>
              <Command line={t.create(flow)} />
            </div>
          </div>
          <div className="gap">
            <Button
              icon="plus"
              look="pri"
              off={whyNot("jobs.create")}
              onPress={() => navigate(withParams("new", { flow }))}
            >
              {text.frame.newJob}
            </Button>
            <span className="dim">{t.fills}</span>
          </div>
        </div>
      </Card>
      <div className="flow-cards">
        {stops.map(({ queue }, i) => (
          <div key={queue.name} className="ghost">
            <h2>
              <bdi>{queue.name}</bdi>
            </h2>
            <span>
              {i === 0 ? t.first : t.then(stops[i - 1]!.queue.name)}
              {i > 0 && queue.next == null && ` ${t.last}`}
            </span>
          </div>
        ))}
      </div>
    </div>
  );
}
