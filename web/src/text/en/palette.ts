import type { Piece } from "./actions";

export const palette = {
  title: "Command palette",
  ask: "What do you look for?",
  found: "What was found",
  none: "Nothing fits.",
  sections: {
    here: (page: string) => `Here: ${page}`,
    many: "On many",
    values: "Jobs by value",
    places: "Go to",
    lately: "Lately",
  },
  who: { retry: "Who has retried jobs", cancel: "Who has cancelled jobs" },
  verbs: { retry: "Retry", cancel: "Cancel" },
  many: (verb: string, states: string, name: string, value: string) => `${verb} ${states} jobs of ${name} ${value}…`,
  manyOf: (verb: string, states: string, queue: string) => `${verb} all ${states} jobs of ${queue}…`,
  unfinished: "unfinished",
  jobs: (count: string, exact: boolean) => `${exact ? "" : "at least "}${count} jobs`,
  previewFirst: "preview first",
  value: (name: string, value: string) => `${name} ${value}`,
  in: (flow: string) => `in ${flow}`,
  none_of: "no jobs",
  notNow: (why: string) => `not now: ${why}`,
  boardOf: (flow: string) => `Board of ${flow}`,
  jobsOf: (queue: string) => `Jobs of ${queue}`,
  limitsOf: (queue: string) => `Limits of ${queue}`,
  runsOf: (workflow: string) => `Runs of ${workflow}`,
  failed: (count: string) => `${count} failed`,
  waiting: (count: string) => `${count} wait`,
  id: "The job or run of this id",
  did: (pieces: readonly Piece[]) => {
    const said = pieces.map((piece) => (typeof piece === "string" ? piece : piece.value)).join("");
    return said.slice(0, 1).toUpperCase() + said.slice(1);
  },
  by: (when: string, who: string) => `${when} · ${who}`,
  choose: "choose",
  do: "do",
  newTab: "in a new tab",
  onlyActions: "only actions",
  onlyValues: "only values",
  onlyPlaces: "only places",
};
