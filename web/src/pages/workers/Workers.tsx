/** The processes that have workers: what each does, what stands out, and releases during a deploy. */
import { useTopic, type Live, type WorkerView } from "@typed-flows/react";
import { useEffect, useMemo, useState } from "react";
import type { PageProps } from "..";
import { ask } from "../../ask";
import { useWhyNot } from "../../me";
import { Empty } from "../../parts/Empty";
import { Title } from "../../parts/Title";
import { Watched } from "../../parts/Watched";
import { withParams } from "../../route";
import * as text from "../../text";
import { Alarms } from "./Alarms";
import { Figures } from "./Figures";
import { Filters } from "./Filters";
import { matches, ordered, processesOf, type Filter, type Usual, type Worker } from "./order";
import { Processes } from "./Processes";
import { Releases } from "./Releases";
import { Stacks } from "./Stacks";

type State = Live<{ items: WorkerView[] }>;

export default function Workers({ params }: PageProps) {
  const flow = params.get("flow");
  const topic = withParams("workers", { flow });
  const { state } = useTopic<{ items: WorkerView[] }>(topic);
  const all = state?.items ?? [];
  const live = processesOf(all.filter((one) => one.alive)).length;
  const only = onlyFlow(flow, all);
  return (
    <div className="stack page">
      <Title
        title={text.workers.title}
        sub={
          live > 0 && (
            <>
              {text.workers.of(live, only)} {only !== null && <b>{only}</b>}
              {all.length > live && text.workers.rows}
            </>
          )
        }
      />
      <Watched<{ items: WorkerView[] }> topic={topic} rows={8}>
        {(state, shown) => <Body state={state} params={params} flow={flow} {...shown} />}
      </Watched>
    </div>
  );
}

/** The flow that all of them are of, if there is one. */
function onlyFlow(asked: string | null, all: readonly Worker[]): string | null {
  const flows = new Set(all.map((one) => one.flow));
  return asked ?? (flows.size === 1 ? all[0]!.flow : null);
}

interface Props {
  state: State;
  params: URLSearchParams;
  flow: string | null;
  old: boolean;
  at: number;
}

function Body({ state, params, flow, old, at }: Props) {
  const all = state.items;
  const usual = useUsual(flow);
  const [stacks, setStacks] = useState<Worker | null>(null);
  const whyNot = useWhyNot();
  const off = old ? text.parts.serverAway : whyNot("workers.dump");
  const filter: Filter = {
    state: params.get("state"),
    name: params.get("name"),
    queue: params.get("queue"),
    host: params.get("host"),
    release: params.get("release"),
  };
  const key = JSON.stringify(filter);
  const open = params.get("process");
  const found = useMemo(
    () =>
      ordered(
        all.filter((one) => matches(one, filter)),
        usual,
      ),
    [all, usual, key],
  );
  const only = onlyFlow(flow, all);
  const died = found.filter((one) => one.state === "died");
  const chosen = found.filter((one) =>
    filter.state === null ? one.state !== "died" || one.name === open : one.state === filter.state,
  );
  if (all.length === 0)
    return (
      <Empty head={text.workers.emptyHead} command={text.workers.command}>
        {text.workers.empty}
      </Empty>
    );
  return (
    <div className="stack">
      <Alarms all={found} off={off} onStacks={setStacks} />
      <Figures all={all} flow={only} at={at} />
      {only !== null && <Releases flow={only} asked={params.has("compare")} all={all} />}
      <Filters all={all} found={found} filter={filter} />
      <Processes
        some={chosen}
        died={filter.state === null ? died : []}
        open={open}
        flows={only === null}
        usual={usual}
        off={off}
        onStacks={setStacks}
      />
      {stacks && <Stacks worker={stacks} onClose={() => setStacks(null)} />}
    </div>
  );
}

const usualOf = (queues: readonly { name: string; run_p95?: number | null }[]): Usual =>
  Object.fromEntries(queues.flatMap((one) => (one.run_p95 == null ? [] : [[one.name, one.run_p95]])));

/** Within how many ms 95 % of the jobs of each queue end: asked once, since it changes slowly. */
function useUsual(flow: string | null): Usual {
  const [usual, setUsual] = useState<Usual>({});
  useEffect(() => {
    const over = new AbortController();
    ask("queues.show", flow === null ? {} : { flow }, over.signal)
      .then((found) => setUsual(usualOf(found.queues)))
      .catch(() => {}); // without it, what runs for over a minute runs for long
    return () => over.abort();
  }, [flow]);
  return usual;
}
