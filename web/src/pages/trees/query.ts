/** What the list of trees is asked for, as words: "app:imports realm:acme name:acme* customer:7". Pure. */
import { word, wordsOf } from "../runs/query";

/** Words with a meaning of their own; each other one is a label. */
const OWN = ["app", "realm", "generator", "name"] as const;
type Own = (typeof OWN)[number];

export interface Query {
  own: Partial<Record<Own, string>>;
  labels: Record<string, string>;
  /** The words that are none: without a colon, or given twice. */
  wrong: string[];
}

export function parse(text: string): Query {
  const query: Query = { own: {}, labels: Object.create(null) as Record<string, string>, wrong: [] };
  for (const [whole, name, value] of wordsOf(text)) {
    const into: Record<string, string> = isOwn(name) ? query.own : query.labels;
    if (!name || !value || name in into) query.wrong.push(whole);
    else into[name] = value;
  }
  return query;
}

const isOwn = (name: string): name is Own => (OWN as readonly string[]).includes(name);

export const STATUSES = ["idle", "working", "done", "failed", "cancelled"] as const;
export type Chip = "all" | (typeof STATUSES)[number];
export const isChip = (text: string | null): text is Chip =>
  text === "all" || (STATUSES as readonly (string | null)[]).includes(text);

/** The params of trees.list, of a page of so many. */
export function paramsOf({ own, labels }: Query, chip: Chip, limit: number) {
  return {
    ...own,
    ...(Object.keys(labels).length ? { labels } : {}),
    ...(chip === "all" ? {} : { status: chip }),
    limit,
  };
}

/** The words of a query, without the one of this name. */
export const without = ({ own, labels }: Query, left: string): string =>
  Object.entries({ ...labels, ...own })
    .filter(([name]) => name !== left)
    .map(([name, value]) => word(name, value))
    .join(" ");

export const namesOf = ({ own, labels }: Query): [string, string][] => Object.entries({ ...own, ...labels });
