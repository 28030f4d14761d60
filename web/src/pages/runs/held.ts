/** Rows that never jump: what comes newly waits until it is asked for, and what matches no more stays, greyed. Pure. */

export interface Held<Row> {
  rows: readonly Row[];
  /** Which of the rows match no more, as they were last. */
  gone: ReadonlySet<string>;
}

interface WithId {
  id: string;
}

/** Takes what is told now into what is shown, without changing places. */
export function hold<Row extends WithId>(shown: Held<Row>, told: readonly Row[]): Held<Row> {
  const now = new Map(told.map((row) => [row.id, row]));
  return {
    rows: shown.rows.map((row) => now.get(row.id) ?? row),
    gone: new Set(shown.rows.filter((row) => !now.has(row.id)).map((row) => row.id)),
  };
}

/** How many of those that are told are not shown, and newer than what is: ids are in the order of time. */
export function newer<Row extends WithId>(shown: Held<Row>, told: readonly Row[]): number {
  const first = shown.rows[0]?.id ?? "";
  const known = new Set(shown.rows.map((row) => row.id));
  return told.filter((row) => row.id > first && !known.has(row.id)).length;
}
