/** The pages, the flows, who looks, and the theme. */
import {
  useConnection,
  useTopic,
  type FlowRow,
  type FlowSummary,
  type Live,
  type Overview,
  type ServerView,
} from "@typed-flows/react";
import { useEffect, useRef } from "react";
import { post } from "../ask";
import { compact, count, duration } from "../format";
import { press } from "../keys/listen";
import { table } from "../keys/table";
import { useKnown, useMe } from "../me";
import { entries } from "../pages";
import { Button } from "../parts/Button";
import { Icon } from "../parts/Icon";
import { Link } from "../parts/Link";
import { Mark } from "../parts/State";
import { at } from "../route";
import * as text from "../text";
import { toggleTheme } from "../theme";

export function Rail({ under, flows, flow }: { under: string; flows: readonly Live<FlowRow>[]; flow: string | null }) {
  const { status } = useConnection();
  const { state: overview } = useTopic<Overview>("overview");
  const rail = useRef<HTMLElement>(null);
  useEffect(() => {
    // On a phone the rail is a row that scrolls: the page of now is to be seen in it.
    const link = rail.current?.querySelector<HTMLElement>("[aria-current]");
    if (rail.current && link)
      rail.current.scrollLeft = link.offsetLeft - (rail.current.clientWidth - link.offsetWidth) / 2;
  }, [under]);
  const summaries = new Map(overview?.flows.map((one) => [one.name, one]));
  return (
    <nav ref={rail} className={`rail ${status === "open" ? "" : "off"}`} aria-label={text.frame.main}>
      <Link to="" className="brand">
        <svg
          viewBox="0 0 20 20"
          width="20"
          height="20"
          fill="none"
          stroke="currentColor"
          strokeWidth="2.2"
          strokeLinecap="round"
          aria-hidden="true"
        >
          <path d="M2 6c4-4 6 4 10 0 2-2 4-2 6-1M2 14c4-4 6 4 10 0 2-2 4-2 6-1" />
        </svg>
        {text.frame.brand}
      </Link>
      {entries.map((entry) => (
        <Link
          key={entry.name}
          to={entry.name === "board" && flow ? at("flows", flow) : entry.to}
          className={`nav ${entry.name === under ? "on" : ""}`}
          current={entry.name === under}
        >
          <Icon name={entry.icon} />
          {entry.title}
          {overview && <Count n={countOf(entry.name, overview)} />}
        </Link>
      ))}
      {flows.length > 0 && <div className="nav-h">{text.frame.flows}</div>}
      <div className="nav-flows">
        {flows.map((one) => (
          <Link key={one.name} to={at("flows", one.name)} className="nav">
            <Flow name={one.name} summary={summaries.get(one.name)} />
          </Link>
        ))}
      </div>
      <Foot />
    </nav>
  );
}

/** How many there are of what an entry leads to; null where no number says something. */
function countOf(entry: string, overview: Live<Overview>): number | null {
  switch (entry) {
    case "jobs":
      return overview.flows.reduce((sum, one) => sum + (one.own ? 0 : held(one)), 0);
    case "runs":
    case "trees":
    case "schedules":
    case "workers":
    case "limits":
      return overview[entry];
    default:
      return null;
  }
}

function Count({ n }: { n: number | null }) {
  return n === null ? null : <span className="n">{compact(n)}</span>;
}

const held = (flow: Live<FlowSummary>) => flow.waiting + flow.processing + flow.delayed + flow.children;

/** A flow, and how it stands with it: whether it goes on, whether jobs failed, how many it holds. */
function Flow({ name, summary }: { name: string; summary: Live<FlowSummary> | undefined }) {
  const here = summary ? held(summary) : 0;
  const failed = summary?.failed ?? 0;
  const stopped = !summary ? null : summary.unserved.length ? "silent" : summary.paused.length ? "paused" : null;
  return (
    <>
      <Mark shape={stopped ?? (failed ? "failed" : here ? "processing" : "waiting")} />
      <bdi className="cut">{name}</bdi>
      {stopped && <span className="sr">{stopped === "silent" ? text.frame.nobody : text.states.paused}</span>}
      {summary && (
        <span className={`n ${failed ? "bad" : ""}`}>
          {failed ? text.frame.failed(count(failed)) : here ? compact(here) : text.frame.idle}
        </span>
      )}
    </>
  );
}

function Foot() {
  const me = useMe();
  const { state } = useTopic<ServerView>("server");
  const { ask } = useKnown();
  return (
    <footer>
      {state && (
        <div>
          <span className="beat" />
          <span className="cut">{text.frame.serverIs(state.version, duration(state.latency))}</span>
        </div>
      )}
      <div>
        <span className="avatar" aria-hidden="true">
          {me.name.slice(0, 2).toUpperCase()}
        </span>
        <span className="cut">{text.frame.who(me.name, me.role)}</span>
        {me.login && (
          <Button look="quiet" icon="out" label={text.frame.logOut} onPress={() => void post("logout", {}).then(ask)} />
        )}
      </div>
      <div>
        <Button look="quiet" icon="moon" onPress={toggleTheme}>
          {text.frame.theme}
        </Button>
        <button type="button" className="help" aria-label={text.keys.title} onClick={() => press("help")}>
          <kbd>{table.help.keys}</kbd>
        </button>
      </div>
    </footer>
  );
}
