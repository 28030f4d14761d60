/** What is asked of the server while a query is written: queues once for a flow, values of an attribute as they are. */
import type { FlowRow, Live } from "@typed-flows/react";
import { useEffect, useState } from "react";
import { ask } from "../ask";

const PAUSE = 150;
/** The jobs whose values are offered. */
const LOOKED_AT = 100;

export function useQueues(flow: string | null, wanted: boolean): readonly string[] {
  const [known, setKnown] = useState<{ flow: string; queues: readonly string[] } | null>(null);
  const missing = wanted && flow !== null && known?.flow !== flow;
  useEffect(() => {
    if (!missing) return;
    const gone = new AbortController();
    ask("flows.show", { flow }, gone.signal).then(
      ({ declared, undeclared }) => setKnown({ flow, queues: [...declared.map((one) => one.name), ...undeclared] }),
      () => {}, // then none are offered
    );
    return () => gone.abort();
  }, [flow, missing]);
  return known?.flow === flow ? (known?.queues ?? []) : [];
}

/** The values that an attribute has among the newest jobs that the other words find. */
export function useValues(flow: Live<FlowRow> | null, name: string | null, others: string): readonly string[] {
  const [values, setValues] = useState<readonly string[]>([]);
  const of = flow?.name ?? null;
  useEffect(() => {
    setValues([]);
    if (of === null || name === null) return;
    const gone = new AbortController();
    const timer = setTimeout(() => {
      ask("jobs.find", { flow: of, query: others, limit: LOOKED_AT }, gone.signal).then(
        ({ jobs }) => setValues(distinct(jobs.map((job) => job.lookups[name]))),
        () => {}, // the other words may be wrong: the list of jobs will say so
      );
    }, PAUSE);
    return () => {
      clearTimeout(timer);
      gone.abort();
    };
  }, [of, name, others]);
  return values;
}

/** The texts of values, that of the most jobs first. */
function distinct(values: readonly unknown[]): string[] {
  const counts = new Map<string, number>();
  for (const value of values.flat()) {
    if (value === null || value === undefined || typeof value === "object") continue;
    counts.set(String(value), (counts.get(String(value)) ?? 0) + 1);
  }
  return [...counts].sort(([, one], [, other]) => other - one).map(([value]) => value);
}
