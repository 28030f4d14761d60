/** The rows of a list that never jump: what comes later waits, and what no longer matches stays and says why. */
import { useTopic, type JobPage, type JobRow, type Live } from "@typed-flows/react";
import { useEffect, useMemo, useState } from "react";
import { ask, Problem } from "../../ask";
import { withParams } from "../../route";
import * as text from "../../text";
import { stillFits } from "./query";

export const PAGE = 50;
/** Of a list with places, a window has so many rows. */
export const WINDOW = 20;

export interface Asked {
  query: string;
  /** Where the query does not name it. */
  flow: string | null;
  cursor: string;
  /** The place of the first row where the list has places; else 0. */
  at: number;
}

export interface Row {
  job: Live<JobRow>;
  /** Why it does not match any more; null: it does. */
  gone: string | null;
}

export interface List {
  /** Null until it is read. */
  page: Live<JobPage> | null;
  rows: readonly Row[];
  /** How many match that are not shown: "3", "50+". Null: none. */
  more: string | null;
  showMore: () => void;
  problem: { message: string; at: number | null } | null;
  /** Of when what is shown is, ms, where it is not live; null: it is. */
  old: number | null;
}

export function useList({ query, flow, cursor, at }: Asked): List {
  const first = !cursor && !at;
  const live = useTopic<JobPage>(first ? withParams("jobs", { q: query, flow, limit: String(PAGE) }) : null);
  // What is shown stays until what the address now asks for is there.
  const place = `${cursor} ${at}`;
  const [kept, setKept] = useState<{ place: string; page: Live<JobPage> } | null>(null);
  const [refused, setRefused] = useState<Problem | null>(null);
  useEffect(() => {
    if (first) return;
    const gone = new AbortController();
    ask("jobs.find", { query, flow, ...(cursor ? { cursor, limit: PAGE } : { at, limit: WINDOW }) }, gone.signal).then(
      (page) => setKept({ place, page }),
      (error) => {
        if (!gone.signal.aborted && error instanceof Problem) setRefused(error);
      },
    );
    return () => gone.abort();
  }, [first, query, flow, cursor, at, place]);
  useEffect(() => {
    if (first && live.state) {
      const page = live.state;
      setKept((before) => (before?.place === place ? before : { place, page }));
    }
  }, [first, place, live.state]);
  const shown = kept?.page ?? live.state;

  const ids = shown?.jobs.map((job) => job.id).join("|");
  const watched = useTopic<JobPage>(
    ids ? withParams("jobs", { q: `id:${ids}`, flow: shown!.flow, limit: "100" }) : null,
  );
  const rows = useMemo(() => rowsOf(query, shown, watched.state), [query, shown, watched.state]);
  const known = useMemo(() => new Set(shown?.jobs.map((job) => job.id)), [shown]);
  const others = first && live.state ? live.state.jobs.filter((job) => !known.has(job.id)).length : 0;
  const error = live.error ?? (refused && { message: refused.detail });
  const source = first ? live : watched;
  const away = source.connection === "offline" || source.connection === "ended" || source.awaySince !== null;
  return {
    // The numbers are those of now, the rows those that were shown.
    page: shown && first && live.state ? { ...live.state, jobs: shown.jobs, cursor: shown.cursor } : shown,
    rows,
    more: others === 0 ? null : others >= PAGE ? `${PAGE}+` : String(others),
    showMore: () => {
      if (!live.state) return;
      // The list may be older than what is known of its rows.
      const gone = new Set(rows.filter((row) => row.gone !== null).map((row) => row.job.id));
      setKept({ place, page: { ...live.state, jobs: live.state.jobs.filter((job) => !gone.has(job.id)) } });
    },
    problem: shown === null && error ? { message: error.message, at: null } : null,
    old: away ? (source.at ?? Date.now()) : null,
  };
}

function rowsOf(query: string, page: Live<JobPage> | null, now: Live<JobPage> | null): readonly Row[] {
  if (page === null) return [];
  const found = new Map(now?.jobs.map((job) => [job.id, job]));
  return page.jobs.map((row) => {
    const job = found.get(row.id) ?? row;
    if (now !== null && !found.has(row.id)) return { job, gone: text.jobs.goneRow };
    if (stillFits(query, job)) return { job, gone: null };
    return { job, gone: job.state === row.state ? text.jobs.movedTo(job.queue) : text.jobs.movedOn(job.state) };
  });
}
