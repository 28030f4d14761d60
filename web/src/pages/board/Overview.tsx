/** All flows in a few numbers each; where there is one, its board; where there is none, how one comes. */
import { useTopic, type FlowSummary, type Live, type Overview as OverviewState } from "@typed-flows/react";
import { useEffect } from "react";
import type { PageProps } from "..";
import { compact, count, seconds } from "../../format";
import { Link } from "../../parts/Link";
import { Mark } from "../../parts/State";
import { Title } from "../../parts/Title";
import { Watched } from "../../parts/Watched";
import { at, jobsAt, navigate } from "../../route";
import { text } from "../../text";
import { NoFlows } from "./NoFlows";
import { shortName } from "./travel";

const t = text.board;

export default function Overview(_: PageProps) {
  const { state } = useTopic<OverviewState>("overview");
  const only = state?.flows.filter((one) => !one.own) ?? [];
  const single = only.length === 1 ? only[0]!.name : null;
  useEffect(() => {
    if (single !== null) navigate(at("flows", single), { replace: true });
  }, [single]);
  return (
    <Watched<OverviewState> topic="overview" rows={6}>
      {({ flows }) => {
        const own = flows.filter((one) => !one.own);
        if (!own.length) return <NoFlows />;
        return (
          <div className="stack-page">
            <Title
              title={t.overview}
              sub={t.overviewSub(
                own.length,
                own.reduce((sum, one) => sum + here(one), 0),
              )}
            />
            <div className="flow-cards">
              {own.map((one) => (
                <Flow key={one.name} flow={one} />
              ))}
            </div>
          </div>
        );
      }}
    </Watched>
  );
}

export const here = (flow: Live<FlowSummary>) => flow.waiting + flow.processing + flow.delayed + flow.children;

function Flow({ flow }: { flow: Live<FlowSummary> }) {
  const all = here(flow);
  return (
    <section className="card flow" aria-label={t.flowTitle(flow.name)}>
      <header>
        <h2>
          <Link to={at("flows", flow.name)}>
            <bdi>{flow.name}</bdi>
          </Link>
        </h2>
        <span className="more dim">
          {t.queues(flow.queues)} · {t.processes(flow.workers)}
        </span>
      </header>
      <div className="depth">
        <b>{compact(all)}</b>
        <span className="dim">{t.jobsHere(all)}</span>
      </div>
      <div className="legend">
        {(["waiting", "processing", "children", "delayed", "failed"] as const).map((state) =>
          flow[state] > 0 || state === "waiting" || state === "processing" ? (
            <Link key={state} to={jobsAt(`flow:${flow.name} state:${state}`)} className={`count ${state}`}>
              <Mark shape={state} />
              <b>{count(flow[state])}</b> <span className="dim">{t.states[state]}</span>
            </Link>
          ) : null,
        )}
      </div>
      <Troubled flow={flow} />
    </section>
  );
}

/** The most urgent thing to say of a flow. */
function Troubled({ flow }: { flow: Live<FlowSummary> }) {
  const names = (queues: readonly string[]) => queues.slice(0, 3).map(shortName).join(", ");
  if (flow.unserved.length) return <p className="foot failed">{t.nobodyOn(names(flow.unserved))}</p>;
  if (flow.paused.length) return <p className="foot warn">{t.isPaused(names(flow.paused))}</p>;
  if (flow.oldest == null) return <p className="foot">{t.nothingMoves}</p>;
  return <p className="foot">{t.oldestIn(seconds(flow.oldest), shortName(flow.oldest_in ?? ""))}</p>;
}
