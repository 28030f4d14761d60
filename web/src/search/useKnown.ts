/** What is asked of the server while a query is written: queues once, values of an attribute as they are now. */
import type { QueueView } from "@typed-flows/react";
import { useEffect, useState } from "react";
import { ask } from "../ask";

const PAUSE = 150;
/** The jobs whose values are offered. */
const LOOKED_AT = 100;
/** Nobody chooses a longer one from a list. */
const LONGEST = 200;
const NONE: readonly never[] = [];

/** The queues of a flow, or of all of them for null. */
export function useQueues(flow: string | null, wanted: boolean): readonly QueueView[] {
  const [known, setKnown] = useState<{ flow: string | null; queues: readonly QueueView[] } | null>(null);
  const missing = wanted && known?.flow !== flow;
  useEffect(() => {
    if (!missing) return;
    const gone = new AbortController();
    ask("queues.show", { flow }, gone.signal).then(
      ({ queues }) => setKnown({ flow, queues }),
      () => {}, // then none are offered
    );
    return () => gone.abort();
  }, [flow, missing]);
  return known?.flow === flow ? known.queues : NONE;
}

/** The values that an attribute has among the newest jobs that the other words find. */
export function useValues(of: { flow: string; name: string } | null, others: string): readonly string[] {
  const [values, setValues] = useState<readonly string[]>(NONE);
  const { flow, name } = of ?? { flow: null, name: "" };
  useEffect(() => {
    setValues(NONE);
    if (flow === null) return;
    const gone = new AbortController();
    const timer = setTimeout(() => {
      ask("jobs.find", { flow, query: others, limit: LOOKED_AT }, gone.signal).then(
        ({ jobs }) => setValues(distinct(jobs.map((job) => job.lookups[name]))),
        () => {}, // the other words may be wrong: the list of jobs will say so
      );
    }, PAUSE);
    return () => {
      clearTimeout(timer);
      gone.abort();
    };
  }, [flow, name, others]);
  return values;
}

/** The texts of values, that of the most jobs first. */
function distinct(values: readonly unknown[]): string[] {
  const counts = new Map<string, number>();
  for (const value of values.flat()) {
    const shown = value === null || value === undefined || typeof value === "object" ? "" : String(value);
    if (shown !== "" && shown.length <= LONGEST) counts.set(shown, (counts.get(shown) ?? 0) + 1);
  }
  return [...counts].sort(([, one], [, other]) => other - one).map(([value]) => value);
}
