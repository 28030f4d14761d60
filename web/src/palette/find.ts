/** Which of the hits fit what was typed: a sign before it asks for one kind alone. */
import { type Hit, type Section, SECTIONS, type Verb, VERBS } from "./hits";

const ONLY: Readonly<Record<string, readonly Section[]>> = {
  ">": ["here", "many"],
  ":": ["values"],
  "#": ["trees", "places"],
};
/** So many of a section at most. */
const MOST: Readonly<Record<Section, number>> = { here: 8, many: 4, values: 6, trees: 6, places: 8, lately: 3 };

export interface Asked {
  only: readonly Section[];
  words: readonly string[];
  /** What is to be done with many, where the first word begins such a word. */
  verb: Verb | null;
  /** What jobs may carry. */
  value: string;
}

export function read(typed: string): Asked {
  const sign = typed.trimStart().slice(0, 1);
  const only = ONLY[sign];
  const words = (only ? typed.trimStart().slice(1) : typed).split(/\s+/).filter(Boolean);
  const first = words[0]?.toLowerCase() ?? "";
  const verb = first.length > 1 ? ((Object.keys(VERBS) as Verb[]).find((one) => one.startsWith(first)) ?? null) : null;
  return { only: only ?? SECTIONS, words, verb, value: (verb ? words.slice(1) : words).join(" ") };
}

/**
 * Returns the hits to show, in order; `values` were asked for. What can be done here needs no value: “retry 62” finds
 * “Retry…” too.
 */
export function pick(hits: readonly Hit[], { only, words, verb }: Asked): Hit[] {
  const low = words.map((word) => word.toLowerCase());
  return SECTIONS.filter((section) => only.includes(section)).flatMap((section) => {
    const said = section === "values" ? [] : section === "here" && verb !== null ? low.slice(0, 1) : low;
    const fitting = hits.filter((hit) => hit.section === section && fits(hit, said));
    return fitting
      .sort((one, other) => rank(one, low) - rank(other, low))
      .slice(0, low.length > 0 ? MOST[section] : 12);
  });
}

function fits({ title, note = "", also = "" }: Hit, low: readonly string[]): boolean {
  const said = `${title} ${note} ${also}`.toLowerCase();
  return low.every((word) => said.includes(word));
}

/** Titles that begin so stand first; what cannot be done now, last. */
function rank({ title, off }: Hit, low: readonly string[]): number {
  return (off ? 2 : 0) + (low[0] !== undefined && title.toLowerCase().startsWith(low[0]) ? 0 : 1);
}

/** The parts of a title, every second of which was typed. */
export function marked(title: string, words: readonly string[]): string[] {
  if (words.length === 0) return [title];
  const escaped = words.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return title.split(new RegExp(`(${escaped.join("|")})`, "i"));
}
