/** All flows in a few numbers each; where there is one, its board; where there is none, how one comes. */
import {
  useTopic,
  type CheckView,
  type FlowSummary,
  type Live,
  type Overview as OverviewState,
} from "@typed-flows/react";
import { useEffect } from "react";
import type { PageProps } from "..";
import { compact, count, seconds } from "../../format";
import { Link } from "../../parts/Link";
import { Mark } from "../../parts/State";
import { Title } from "../../parts/Title";
import { Watched } from "../../parts/Watched";
import { at, jobsAt, navigate } from "../../route";
import * as text from "../../text";
import { NoFlows } from "./NoFlows";
import { shortName } from "./travel";
import { said, troubles, word, type Trouble } from "./troubles";

const t = text.board;
/** So many troubles of a flow are told; its board tells all. */
const MOST = 3;

export default function Overview(_: PageProps) {
  const { state } = useTopic<OverviewState>("overview");
  const { state: check } = useTopic<CheckView>("check");
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
                <Flow key={one.name} flow={one} found={of(one, check?.findings ?? [])} />
              ))}
            </div>
          </div>
        );
      }}
    </Watched>
  );
}

export const here = (flow: Live<FlowSummary>) => flow.waiting + flow.processing + flow.delayed + flow.children;

/** What is wrong with a flow. Findings are read less often: a pause that is over is not told. */
const of = (flow: Live<FlowSummary>, findings: readonly Trouble[]) =>
  troubles(findings.filter((one) => one.flow === flow.name)).filter(
    (one) => one.what !== "paused" || flow.paused.includes(one.queue ?? ""),
  );

function Flow({ flow, found }: { flow: Live<FlowSummary>; found: readonly Trouble[] }) {
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
      {found.slice(0, MOST).map((one) => {
        const { head, more } = said(one, null);
        return (
          <p
            key={`${one.what} ${one.queue ?? ""} ${word(one, "process")}`}
            className={`foot ${one.level === "wrong" ? "failed" : "warn"}`}
          >
            <bdi>
              <b>{head}</b> {more}
            </bdi>
          </p>
        );
      })}
      {found.length > MOST && (
        <p className="foot">
          <Link to={at("flows", flow.name)}>{t.andMore(found.length - MOST)}</Link>
        </p>
      )}
      {!found.length && <Oldest flow={flow} />}
    </section>
  );
}

/** What is to be said of a flow with which nothing is wrong. */
function Oldest({ flow }: { flow: Live<FlowSummary> }) {
  if (flow.oldest == null) return <p className="foot">{t.nothingMoves}</p>;
  return <p className="foot">{t.oldestIn(seconds(flow.oldest), shortName(flow.oldest_in ?? ""))}</p>;
}
