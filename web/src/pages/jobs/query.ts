/** The words of a query's text, as far as a page goes by them; what a query finds, the server alone says. */
import type { JobRow, JobState, Live } from "@typed-flows/react";
import { wordsOf as split } from "../../search/words";

export interface Word {
  /** As it stands in the text. */
  text: string;
  /** Without quotation marks: "state"; of a word that stands alone, "or". */
  name: string;
  values: readonly string[];
  negated: boolean;
}

const PARTS = /^(-?)("(?:[^"\\]|\\.)*"|[^:"]*):(.*)$/s;
const VALUE = /"(?:[^"\\]|\\.)*"|[^|"]+/g;

/** "state:failed|cancelled user_id:62" → its words. */
export function wordsOf(query: string): Word[] {
  return split(query).map((text) => {
    const [, sign, name, values] = PARTS.exec(text) ?? [];
    if (name === undefined) return { text, name: text.toLowerCase(), values: [], negated: false };
    const found = [...(values ?? "").matchAll(VALUE)].map(([value]) => plain(value));
    return { text, name: plain(name), values: found, negated: sign === "-" };
  });
}

const plain = (text: string) => {
  if (!text.startsWith('"')) return text;
  try {
    return String(JSON.parse(text));
  } catch {
    return text;
  }
};

const written = (words: readonly Word[]) => words.map((word) => word.text).join(" ");

/** The query with another word of a name, at each of its alternatives; null takes the name's words away. */
export function withWord(query: string, name: string, value: string | null): string {
  const alternatives: Word[][] = [[]];
  for (const word of wordsOf(query)) {
    if (word.name === "or" && !word.values.length) alternatives.push([]);
    else if (word.name !== name) alternatives.at(-1)!.push(word);
  }
  const more = value === null ? "" : ` ${name}:${value}`;
  return alternatives
    .map((words) => (written(words) + more).trim())
    .filter(Boolean)
    .join(" or ");
}

/** The values that a query has for a name where it has one alternative; none where it does not say. */
export function valuesOf(query: string, name: string): readonly string[] {
  return wordsOf(query)
    .filter((word) => word.name === name && !word.negated)
    .flatMap((word) => word.values);
}

/** Whether what stands behind some words is looked for in each job, so that counting takes long. */
export const looksInto = (query: string) =>
  wordsOf(query).some(
    (word) => ["error", "worker", "attempt", "since", "until"].includes(word.name) && word.values.length > 0,
  );

const has = (query: string, name: string) =>
  wordsOf(query).some((word) => word.name === name && word.values.length > 0);

/** Whether a query names its flow itself. */
export const namesFlow = (query: string) => has(query, "flow");

/** Whether a query names jobs by their ids: those are acted on one by one. */
export const namesIds = (query: string) => has(query, "id");

/** Whether a job that a query has found fits its words on state and queue still; of several alternatives, all do. */
export function stillFits(query: string, row: Live<JobRow>): boolean {
  const words = wordsOf(query);
  if (words.some((word) => word.name === "or" && !word.values.length)) return true;
  return words.every((word) => {
    if (word.name !== "state" && word.name !== "queue") return true;
    return word.values.includes(word.name === "state" ? row.state : row.queue) !== word.negated;
  });
}

const OWN = ["state", "queue", "error", "worker", "attempt", "since", "until", "flow", "id"];
const MOST_CORRECTIONS = 4;

/** What a query may have meant that names what the flow is not looked up by, or a value alone; the nearest first. */
export function corrections(query: string, lookups: readonly string[]): string[] {
  const words = wordsOf(query);
  const isUnknown = (word: Word) => word.values.length > 0 && ![...OWN, ...lookups].includes(word.name);
  const isAlone = (word: Word) => word.values.length === 0 && !/^(or|none|".*)$/.test(word.name);
  const at = words.findIndex((word) => isUnknown(word) || isAlone(word));
  const wrong = words[at];
  if (!wrong) return [];
  const value = isAlone(wrong) ? wrong.text : wrong.text.slice(wrong.text.indexOf(":") + 1);
  const near = isAlone(wrong)
    ? lookups
    : [...lookups].sort((a, b) => distance(wrong.name, a) - distance(wrong.name, b));
  return near.slice(0, MOST_CORRECTIONS).map((name) => written(words.with(at, { ...wrong, text: `${name}:${value}` })));
}

/** How many letters have to be put in, left out or changed; letters that only follow count little. */
function distance(one: string, other: string): number {
  if (other.startsWith(one) || one.startsWith(other)) return Math.abs(one.length - other.length) / 100;
  let row = Array.from({ length: other.length + 1 }, (_, n) => n);
  for (let i = 1; i <= one.length; i++) {
    const next = [i];
    for (let j = 1; j <= other.length; j++)
      next.push(Math.min(next[j - 1]! + 1, row[j]! + 1, row[j - 1]! + Number(one[i - 1] !== other[j - 1])));
    row = next;
  }
  return row.at(-1)!;
}

export const STATES: readonly JobState[] = [
  "waiting",
  "delayed",
  "processing",
  "children",
  "failed",
  "done",
  "cancelled",
];

/** A text as one argument of a POSIX shell. */
export const quoted = (text: string) => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);
