/** What a word of a query may become, while it is written. */
import type { FlowRow, Live } from "@typed-flows/react";
import * as text from "../text";
import { isId, partsOf, quoted } from "./words";

export interface Completion {
  /** What the word becomes; with a colon at its end, a value is still to come. */
  word: string;
  note: string;
}

export const STATES = ["waiting", "processing", "delayed", "children", "done", "failed", "cancelled"] as const;
/** Those that every flow has. */
const NAMES = ["state", "queue", "error", "worker", "attempt", "since", "until", "flow", "id"] as const;
const TIMES = ["15m", "1h", "6h", "24h", "7d"];
const MOST = 8;

export interface Known {
  flows: readonly Live<FlowRow>[];
  /** The flows that the query may be of: one, or all where none is chosen. */
  of: readonly Live<FlowRow>[];
  /** Their queues. */
  queues: readonly { name: string; flow: string }[];
  /** Values that the attribute of the word has. */
  values: readonly string[];
}

/** Returns what the word may become, the likeliest first, and whether Enter takes that rather than the word. */
export function complete(word: string, known: Known): { found: Completion[]; first: boolean } {
  const parts = partsOf(word);
  if (parts === null) return { found: names(word, known), first: word !== "" && !isId(word) };
  const { name, before, value } = parts;
  const of = closed(name.replace(/^-/, ""), known);
  const values = matching(of ?? known.values, value).filter((one) => one !== value);
  const found = values.map((one) => ({ word: before + quoted(one), note: noteOf(name, one) }));
  return { found: found.slice(0, MOST), first: of !== null && !of.includes(value) && value !== "" };
}

/** Returns the attribute whose values are asked for, and the first flow that has it. */
export function attributeOf(word: string, of: Known["of"]): { flow: string; name: string } | null {
  const name = partsOf(word)?.name ?? "";
  const flow = of.find(({ lookups }) => lookups.includes(name));
  return flow ? { flow: flow.name, name } : null;
}

/** Returns the one flow that the words can be of, by the attributes and queues that they name; null where several. */
export function flowOf(words: readonly string[], { of, queues }: Pick<Known, "of" | "queues">): string | null {
  const asked = words.flatMap((word) => partsOf(word) ?? []);
  const names = asked.map(({ name }) => name).filter((name) => of.some(({ lookups }) => lookups.includes(name)));
  const queue = asked.find(({ name }) => name === "queue")?.value;
  const owner = queues.find(({ name }) => name === queue)?.flow;
  const fit = of.filter(
    (flow) => names.every((name) => flow.lookups.includes(name)) && (!owner || flow.name === owner),
  );
  return fit.length === 1 ? fit[0]!.name : null;
}

/** Names that begin so, or a value of each attribute. */
function names(word: string, { of }: Known): Completion[] {
  if (isId(word)) return [];
  const lookups = [...new Set(of.flatMap((flow) => flow.lookups))];
  const found = matching([...lookups, ...NAMES], word).map((name) => ({
    word: `${name}:`,
    note: lookups.includes(name) ? text.search.carried : (text.search.names[name as (typeof NAMES)[number]] ?? ""),
  }));
  if (found.length > 0 || word === "") return found.slice(0, MOST);
  return lookups
    .slice(0, MOST)
    .map((name) => ({ word: `${name}:${quoted(word)}`, note: text.search.carries(name, word) }));
}

/** The values that a word of this name can have, where those are few and known. */
function closed(name: string, { flows, queues }: Known): readonly string[] | null {
  switch (name) {
    case "state":
      return STATES;
    case "queue":
      return queues.map((queue) => queue.name);
    case "flow":
      return flows.map((flow) => flow.name);
    case "since":
    case "until":
      return TIMES;
    default:
      return null;
  }
}

function noteOf(name: string, value: string): string {
  return name === "since" || name === "until" ? text.search.ago(value) : "";
}

/** Those that begin so, then those that have it somewhere. */
function matching(all: readonly string[], part: string): string[] {
  const low = part.toLowerCase();
  const at = all.map((one) => [one.toLowerCase().indexOf(low), one] as const).filter(([at]) => at >= 0);
  return [...at.filter(([at]) => at === 0), ...at.filter(([at]) => at > 0)].map(([, one]) => one);
}
