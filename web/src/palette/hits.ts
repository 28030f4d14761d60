/** What the palette offers: actions and places that are known here. */
import type { QueueView, TreeRow, WorkflowView } from "@typed-flows/react";
import { count, shortId } from "../format";
import { type Command, iconOf, keyOf, titleOf } from "../keys/commands";
import { shapeOf } from "../pages/trees/stand";
import type { IconName } from "../parts/Icon";
import type { Shape } from "../parts/shapes";
import { at, jobsAt, withParams } from "../route";
import { quoted } from "../search/words";
import * as text from "../text";

export const SECTIONS = ["here", "many", "values", "trees", "places", "lately"] as const;
export type Section = (typeof SECTIONS)[number];

export type Hit = {
  section: Section;
  title: string;
  /** Small, behind the title. */
  note?: string | undefined;
  /** By what it is found besides. */
  also?: string;
  icon?: IconName | undefined;
  shape?: Shape | undefined;
  /** At the right. */
  right?: string | undefined;
  keys?: string | undefined;
  /** Why not now. */
  off?: string | null | undefined;
} & ({ run: () => void; to?: never } | { to: string; run?: never });

/** What acts on many: its states, in a query and in words. */
export const VERBS = {
  retry: { states: "failed", icon: "retry" },
  cancel: { states: "waiting|delayed|processing|children", icon: "x" },
} as const satisfies Record<string, { states: string; icon: IconName }>;
export type Verb = keyof typeof VERBS;

const statesIn = (verb: Verb) => (verb === "retry" ? text.states.failed : text.palette.unfinished);

/** What the frame and the page have told, the page's first; moving through rows is for keys alone. */
export function hitsOf(commands: readonly Command[]): Hit[] {
  const last = ["act", "view", "anywhere"];
  const sorted = commands.toSorted((one, other) => last.indexOf(groupOf(one)) - last.indexOf(groupOf(other)));
  return sorted.flatMap((command): Hit[] => {
    const key = keyOf(command);
    if (key?.group === "rows" || command.key === "palette" || command.there?.() === false) return [];
    const shown = { title: titleOf(command), icon: iconOf(command), keys: key?.keys, off: command.off };
    return command.to === undefined
      ? [{ section: "here", ...shown, run: command.run }]
      : [{ section: key?.group === "go" ? "places" : "here", ...shown, to: command.to }];
  });
}

const groupOf = (command: Command): string => keyOf(command)?.group ?? "";

/** Who has done such a thing: the audit, for those who may read it. */
export const whoDid = (verb: Verb): Hit => ({
  section: "places",
  icon: "audit",
  title: text.palette.who[verb],
  also: text.palette.verbs[verb],
  to: withParams("audit", { doing: `jobs.${verb}|bulk.apply` }),
});

/** The places of flows, their queues and workflows. */
export function placesOf(
  flows: readonly string[],
  queues: readonly QueueView[],
  workflows: readonly WorkflowView[],
): Hit[] {
  const palette = text.palette;
  return [
    ...flows.map((flow): Hit => ({
      section: "places",
      title: palette.boardOf(flow),
      icon: "board",
      to: at("flows", flow),
    })),
    ...queues.map(({ name, flow, failed, waiting }): Hit => ({
      section: "places",
      title: palette.jobsOf(name),
      icon: "jobs",
      right: failed > 0 ? palette.failed(count(failed)) : waiting > 0 ? palette.waiting(count(waiting)) : undefined,
      to: jobsAt(`flow:${flow} queue:${quoted(name)}`),
    })),
    ...queues
      .filter(({ limits }) => limits.length > 0)
      .map(({ name, flow }): Hit => ({
        section: "places",
        title: palette.limitsOf(name),
        icon: "limits",
        to: withParams("limits", { flow, queue: name }),
      })),
    ...workflows.map(({ workflow, failed }): Hit => ({
      section: "places",
      title: palette.runsOf(workflow),
      icon: "runs",
      right: failed > 0 ? palette.failed(count(failed)) : undefined,
      to: withParams("runs", { workflow }),
    })),
  ];
}

/** Trees by their names. */
export const treesOf = (found: readonly TreeRow[]): Hit[] =>
  found.map(({ id, app, generator, name, status }) => ({
    section: "trees",
    title: name || shortId(id),
    note: text.palette.tree(generator, app),
    shape: shapeOf[status],
    right: text.trees.statuses[status],
    to: at("trees", id),
  }));

/** An action on all jobs of a query, which the list of jobs shows first. */
export function onMany(
  verb: Verb,
  query: string,
  about: { name: string; value?: string },
  n: Count,
  off: string | null,
): Hit {
  const palette = text.palette;
  const { name, value } = about;
  const says = palette.verbs[verb];
  return {
    section: "many",
    icon: VERBS[verb].icon,
    title:
      value === undefined
        ? palette.manyOf(says, statesIn(verb), name)
        : palette.many(says, statesIn(verb), name, value),
    right: `${palette.jobs(count(n.count), n.exact)} · ${palette.previewFirst}`,
    off,
    to: withParams("jobs", { q: `${query} state:${VERBS[verb].states}`, act: verb }),
  };
}

export interface Count {
  count: number;
  exact: boolean;
}

/** The same of each queue that has such jobs. */
export function onManyOf(verb: Verb, queues: readonly QueueView[], off: string | null): Hit[] {
  return queues.flatMap(({ name, flow, failed, waiting, delayed, processing, children }) => {
    const n = verb === "retry" ? failed : waiting + delayed + processing + children;
    const query = `flow:${flow} queue:${quoted(name)}`;
    return n > 0 ? [onMany(verb, query, { name }, { count: n, exact: true }, off)] : [];
  });
}
