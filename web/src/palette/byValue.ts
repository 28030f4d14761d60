/** Jobs by what they carry, and what can be done with them. */
import { count } from "../format";
import { jobsAt } from "../route";
import { quoted } from "../search/words";
import * as text from "../text";
import { type Count, type Hit, onMany, type Verb, VERBS } from "./hits";
import type { ByValue } from "./useServer";

/** What stands out comes first. */
const ORDER = ["failed", "processing", "waiting", "delayed", "children", "cancelled", "done"] as const;

export function hitsByValue(found: readonly ByValue[], verb: Verb | null, off: string | null): Hit[] {
  return found.flatMap((one) => [valueHit(one), ...manyHit(one, verb, off)]);
}

const queryOf = ({ counts, name, value }: ByValue) => `flow:${counts.flow} ${name}:${quoted(value)}`;

function valueHit(one: ByValue): Hit {
  const there = ORDER.flatMap((state) => one.counts.states.filter((each) => each.state === state && each.count > 0));
  return {
    section: "values",
    title: text.palette.value(one.name, one.value),
    note: text.palette.in(one.counts.flow),
    shape: there[0]?.state,
    right: there
      .slice(0, 3)
      .map((each) => `${count(each.count)}${each.exact ? "" : "+"} ${text.states[each.state]}`)
      .join(" · "),
    to: jobsAt(queryOf(one)),
  };
}

function manyHit(one: ByValue, verb: Verb | null, off: string | null): Hit[] {
  if (verb === null) return [];
  const states = VERBS[verb].states.split("|");
  const n = one.counts.states
    .filter(({ state }) => states.includes(state))
    .reduce<Count>((all, each) => ({ count: all.count + each.count, exact: all.exact && each.exact }), {
      count: 0,
      exact: true,
    });
  return n.count > 0 ? [onMany(verb, queryOf(one), one, n, off)] : [];
}
