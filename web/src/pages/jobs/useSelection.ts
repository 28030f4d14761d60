/** What is selected: some of the rows, or all that match; rows that no longer match are not. */
import { useState } from "react";
import type { Row } from "./useList";

export interface Selection {
  /** Whether all that match are selected, shown or not. */
  all: boolean;
  has: (id: string) => boolean;
  /** The selected rows that match still. */
  rows: readonly Row[];
  /** The row under the cursor, by its number. */
  at: number;
  setAt: (at: number) => void;
  toggle: (id: string, to?: boolean) => void;
  /** Selects or leaves all from the last one that was toggled to this one. */
  toggleTo: (id: string) => void;
  selectShown: () => void;
  selectAll: () => void;
  clear: () => void;
}

export function useSelection(rows: readonly Row[], startsWithAll: boolean): Selection {
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const [all, setAll] = useState(startsWithAll);
  const [at, setAt] = useState(-1);
  const [last, setLast] = useState("");
  const fitting = rows.filter((row) => row.gone === null);
  const ids = fitting.map((row) => row.job.id);
  const keep = (ids: Iterable<string>) => {
    setAll(false);
    setChosen(new Set(ids));
  };
  const now = all ? new Set(ids) : chosen;
  return {
    all,
    has: (id) => now.has(id) && ids.includes(id),
    rows: fitting.filter((row) => now.has(row.job.id)),
    at: Math.min(at, rows.length - 1),
    setAt,
    toggle: (id, to = !now.has(id)) => {
      setLast(id);
      keep(to ? [...now, id] : [...now].filter((one) => one !== id));
    },
    toggleTo: (id) => {
      const [from, to] = [ids.indexOf(last), ids.indexOf(id)].sort((a, b) => a - b) as [number, number];
      keep([...now, ...ids.slice(Math.max(0, from), to + 1)]);
    },
    selectShown: () => keep(ids.every((id) => chosen.has(id)) && !all ? [] : ids),
    selectAll: () => setAll(true),
    clear: () => keep([]),
  };
}
