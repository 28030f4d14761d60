/** What an action would be about: counted by the server for all that match, from the rows for chosen ones. */
import type { BulkPreview, JobRow, Live } from "@typed-flows/react";
import { useEffect, useState } from "react";
import { ask, Problem } from "../../ask";
import { msOf } from "../../format";
import type { Verb } from "../../text/en/jobs";
import { ACTS_ON } from "./SelectionBar";
import type { Row } from "./useList";

export interface Part {
  queue: string;
  count: number;
  /** ms since 1970 */
  oldest: number;
  used_up: number;
}

export interface Plan {
  count: number;
  exact: boolean;
  /** Of chosen jobs: those that the verb does not fit. */
  left: number;
  /** Of all that match: when they were counted. */
  before: string | null;
  parts: readonly Part[];
  sample: readonly Live<JobRow>[];
  /** The chosen jobs; null: all that match. */
  chosen: readonly Live<JobRow>[] | null;
}

export function usePlan(
  verb: Verb,
  query: string,
  flow: string,
  chosen: readonly Row[] | null,
  attempts: ReadonlyMap<string, number>,
): { plan: Plan | null; problem: string | null } {
  const [seen, setSeen] = useState<BulkPreview | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const all = chosen === null;
  useEffect(() => {
    setSeen(null);
    setProblem(null);
    if (!all) return;
    const gone = new AbortController();
    ask("bulk.preview", { verb, query, flow }, gone.signal).then(setSeen, (error) => {
      if (!gone.signal.aborted) setProblem(error instanceof Problem ? error.detail : String(error));
    });
    return () => gone.abort();
  }, [all, verb, query, flow]);
  if (chosen !== null) return { plan: ofChosen(verb, chosen, attempts), problem: null };
  return { plan: seen && ofAll(seen), problem };
}

function ofAll({ count, exact, before, parts, sample }: BulkPreview): Plan {
  const told = parts.map((part) => ({ ...part, oldest: msOf(part.oldest) }));
  return { count, exact, left: 0, before, parts: told, sample, chosen: null };
}

function ofChosen(verb: Verb, rows: readonly Row[], attempts: ReadonlyMap<string, number>): Plan {
  const jobs = rows.map((row) => row.job).filter((job) => ACTS_ON[verb].includes(job.state));
  const parts = new Map<string, Part>();
  for (const job of jobs) {
    const part = parts.get(job.queue) ?? { queue: job.queue, count: 0, oldest: Infinity, used_up: 0 };
    part.count++;
    part.oldest = Math.min(part.oldest, msOf(job.since));
    if (job.attempt >= (attempts.get(job.queue) ?? 1)) part.used_up++;
    parts.set(job.queue, part);
  }
  return {
    count: jobs.length,
    exact: true,
    left: rows.length - jobs.length,
    before: null,
    parts: [...parts.values()].sort((a, b) => b.count - a.count),
    sample: jobs.slice(0, 10),
    chosen: jobs,
  };
}
