/** What the palette asks the server: queues and workflows once, jobs by value while somebody types. */
import {
  useTopic,
  type ActionView,
  type FlowRow,
  type JobCounts,
  type Live,
  type Overview,
  type QueueView,
  type TreeRow,
  type WorkflowView,
} from "@typed-flows/react";
import { useEffect, useState } from "react";
import { ask } from "../ask";
import { quoted } from "../search/words";

const PAUSE = 150;
/** So many attributes, of all flows, are searched. */
const MOST_ATTRIBUTES = 8;
const LATEST = 5;
const MOST_TREES = 6;

export interface Around {
  queues: readonly QueueView[];
  workflows: readonly WorkflowView[];
  /** What was done last, newest first. */
  actions: readonly ActionView[];
}

/** Asks once; what is refused or away is left out. */
export function useAround(flow: string | null, audit: boolean): Around {
  const [around, setAround] = useState<Around>({ queues: [], workflows: [], actions: [] });
  useEffect(() => {
    const gone = new AbortController();
    const add = (more: Partial<Around>) => gone.signal.aborted || setAround((before) => ({ ...before, ...more }));
    const none = () => {};
    ask("queues.show", { flow }, gone.signal).then(({ queues }) => add({ queues }), none);
    ask("runs.workflows", {}, gone.signal).then((workflows) => add({ workflows }), none);
    if (audit)
      ask("audit.list", { limit: 2 * LATEST }, gone.signal).then(
        ({ actions }) => add({ actions: ended(actions) }),
        none,
      );
    return () => gone.abort();
  }, [flow, audit]);
  return around;
}

/** Each action stands there as asked, too. */
const ended = (actions: readonly ActionView[]) => actions.filter(({ word }) => word !== "asked").slice(0, LATEST);

export interface ByValue {
  name: string;
  value: string;
  counts: JobCounts;
}

/** Finds trees whose names begin so, where there are trees. */
export function useTreesBy(name: string): readonly TreeRow[] {
  const { state: overview } = useTopic<Overview>("overview");
  const [found, setFound] = useState<{ name: string; trees: readonly TreeRow[] }>({ name: "", trees: [] });
  const asks = name !== "" && (overview?.trees ?? 0) > 0;
  useEffect(() => {
    if (!asks) return;
    const gone = new AbortController();
    const timer = setTimeout(() => {
      ask("trees.list", { name: `${name}*`, limit: MOST_TREES }, gone.signal).then(
        ({ trees }) => setFound({ name, trees }),
        () => {},
      );
    }, PAUSE);
    return () => {
      clearTimeout(timer);
      gone.abort();
    };
  }, [name, asks]);
  return found.name === name ? found.trees : [];
}

/** Counts the jobs that carry a value, under each attribute of each flow, that of the page first. */
export function useByValue(flows: readonly Live<FlowRow>[], flow: string | null, value: string): readonly ByValue[] {
  const [found, setFound] = useState<readonly ByValue[]>([]);
  const attributes = JSON.stringify(attributesOf(flows, flow)); // flows are told anew each second, and seldom change
  useEffect(() => {
    if (value === "") return;
    const gone = new AbortController();
    const timer = setTimeout(async () => {
      const asked = (JSON.parse(attributes) as ReturnType<typeof attributesOf>).map(async ({ flow, name }) => {
        const counts = await ask("jobs.count", { flow, query: `${name}:${quoted(value)}` }, gone.signal);
        return { name, value, counts };
      });
      const answers = await Promise.allSettled(asked);
      if (gone.signal.aborted) return;
      setFound(answers.flatMap((one) => (one.status === "fulfilled" ? [one.value] : [])));
    }, PAUSE);
    return () => {
      clearTimeout(timer);
      gone.abort();
    };
  }, [attributes, value]);
  return found.filter((one) => one.value === value && one.counts.states.some(({ count }) => count > 0));
}

function attributesOf(flows: readonly Live<FlowRow>[], flow: string | null) {
  return [...flows]
    .sort((one, other) => Number(other.name === flow) - Number(one.name === flow))
    .flatMap((one) => one.lookups.map((name) => ({ flow: one.name, name })))
    .slice(0, MOST_ATTRIBUTES);
}
