/** What the list of runs is asked for, as words: "workflow:checkout tag:vip order_id:7". Pure. */

export interface Query {
  workflow: string | null;
  tag: string | null;
  lookup: Record<string, string>;
  /** The words that are none: without a colon, or given twice. */
  wrong: string[];
}

/** A word, or one whose value is in quotes. */
const WORD = /([^\s:"]+):(?:"((?:[^"\\]|\\.)*)"|(\S*))|\S+/g;

/** Yields each word, with the name and the value of those that have both. */
export function* wordsOf(text: string): Generator<readonly [word: string, name: string, value: string]> {
  for (const [word, name, quoted, plain] of text.matchAll(WORD))
    yield [word, name ?? "", (quoted === undefined ? plain : quoted.replace(/\\(.)/g, "$1")) ?? ""];
}

export function parse(text: string): Query {
  const query: Query = { workflow: null, tag: null, lookup: {}, wrong: [] };
  for (const [word, name, value] of wordsOf(text)) {
    if (!name || !value) query.wrong.push(word);
    else if (name === "workflow" || name === "tag") {
      if (query[name] === null) query[name] = value;
      else query.wrong.push(word);
    } else if (name in query.lookup) query.wrong.push(word);
    else query.lookup[name] = value;
  }
  return query;
}

/** One word of a query: what has spaces or quotes in it stands in quotes. */
export const word = (name: string, value: string) =>
  `${name}:${/[\s"\\]/.test(value) ? `"${value.replace(/["\\]/g, "\\$&")}"` : value}`;

/** The chips: each stands for states of runs; the states of the API are in the address. */
export const chips = {
  all: [],
  waiting: ["waiting"],
  running: ["processing"],
  suspended: ["suspended", "delayed"],
  done: ["done"],
  failed: ["failed"],
  cancelled: ["cancelled"],
} as const;
export type Chip = keyof typeof chips;
export const isChip = (text: string | null): text is Chip => text !== null && text in chips;

/** The params of runs.list, of a page of so many. */
export function paramsOf(query: Query, chip: Chip, limit: number) {
  const { workflow, tag, lookup } = query;
  const status = [...chips[chip]];
  return {
    ...(workflow === null ? {} : { workflow }),
    ...(tag === null ? {} : { tag }),
    ...(Object.keys(lookup).length ? { lookup } : {}),
    ...(status.length ? { status } : {}),
    limit,
  };
}
