/** How many jobs of the search are in which state, and the way to each of them. */
import { useTopic, type JobCounts, type Live, type StateCount } from "@typed-flows/react";
import { useEffect, useState } from "react";
import { ask } from "../../ask";
import { count } from "../../format";
import { Link } from "../../parts/Link";
import { Mark } from "../../parts/State";
import { withParams } from "../../route";
import * as text from "../../text";
import { listAt } from "./listAt";
import { looksInto, STATES, valuesOf, withWord } from "./query";

export function Chips({ query, flow }: { query: string; flow: string | null }) {
  const counts = useCounts(withWord(query, "state", null), flow);
  const states = valuesOf(query, "state");
  const found = new Map(counts?.states.map((one) => [one.state, one]));
  const every = [...found.values()];
  const sum = {
    count: every.reduce((n, one) => n + one.count, 0),
    exact: every.every((one) => one.exact || one.sampled),
  };
  const to = (state: string | null) => listAt(withWord(query, "state", state), flow);
  return (
    <nav className="filters" aria-label={text.jobs.statesLabel}>
      <Link to={to(null)} className={`filter all ${states.length ? "" : "on"}`} current={!states.length}>
        {text.jobs.allStates} {counts && <b>{sum.exact ? count(sum.count) : text.jobs.atLeast(sum.count)}</b>}
      </Link>
      {STATES.map((state) => {
        const on = states.length === 1 && states[0] === state;
        return (
          <Link key={state} to={to(on ? null : state)} className={`filter ${state} ${on ? "on" : ""}`} current={on}>
            <Mark shape={state} />
            {text.states[state]} <Number of={found.get(state)} />
          </Link>
        );
      })}
    </nav>
  );
}

function Number({ of }: { of: Live<StateCount> | undefined }) {
  if (!of) return null;
  if (of.sampled && of.count) return <b title={text.jobs.sampledTitle}>{text.jobs.sampled(of.count)}</b>;
  if (of.exact || of.sampled) return <b>{count(of.count)}</b>;
  return <b title={text.jobs.atLeastTitle}>{text.jobs.atLeast(of.count)}</b>;
}

/** Live where the lists know the numbers; where each job is looked at, they are asked for once. */
function useCounts(query: string, flow: string | null): Live<JobCounts> | null {
  const once = looksInto(query);
  const { state } = useTopic<JobCounts>(once ? null : withParams("counts", { q: query, flow }));
  const [asked, setAsked] = useState<JobCounts | null>(null);
  useEffect(() => {
    setAsked(null);
    if (!once) return;
    const gone = new AbortController();
    ask("jobs.count", { query, flow }, gone.signal).then(setAsked, () => {}); // the list says what is wrong
    return () => gone.abort();
  }, [once, query, flow]);
  return once ? asked : state;
}
