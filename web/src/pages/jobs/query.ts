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
