import { list, number, plural } from "./words";

const tasks = (n: number) => `${number(n)} ${plural(n, "task", "tasks")}`;

export const trees = {
  title: "Trees",
  sub: (app: string | null) => `${app ? `of ${app}` : "of all apps"} · the search is the address of this page`,
  find: "Find trees",
  findHint: "app:imports realm:acme generator:import-site name:acme* customer:7",
  wrong: (words: readonly string[]) =>
    `Not understood: ${words.join(" ")}. Give words such as app:imports, realm:acme, generator:import-site, name:acme* or a label, customer:7.`,
  copyCommand: "Copy as command",
  command: (words: readonly string[]) => `flows trees list ${words.join(" ")}`.trim(),
  statesLabel: "States",
  statuses: { idle: "idle", working: "working", done: "done", failed: "failed", cancelled: "cancelled" },
  all: "all",
  heads: {
    state: "state",
    name: "tree",
    generator: "generator",
    realm: "realm",
    labels: "labels",
    progress: "last end",
    created: "made",
  },
  order: "newest first",
  shown: (n: number) => `${number(n)} ${plural(n, "tree", "trees")}`,
  more: "Next 50",
  noMore: "These are all",
  empty: "No tree yet",
  emptyMore: "A tree is made by code: a generator of an app makes it from data.",
  emptyCommand: "python -m examples.import_site --serve",
  nothing: "No tree matches",
  nothingMore: "With a word less it may.",
  without: (word: string) => `Without ${word}`,
  anyState: "In any state",
};

export const tree = {
  crumb: "Where this tree belongs",
  missing: "There is no such tree",
  allTrees: "All trees",
  chips: { realm: "realm", instance: "instance", execution: "execution", revision: "revision", ephemeral: "ephemeral" },
  runAll: "Run all",
  cancel: "Cancel execution…",
  more: "Further actions",
  rename: "Name and labels…",
  destroy: "Destroy…",
  copyLink: "Copy link",
  linkCopied: "Link copied",
  made: "made",
  begun: (what: string) => `Begun: ${what}`,
  all: "all",
  off: {
    old: "What is shown is not live",
    working: "An execution is on, and there is one at a time",
    workingData: "An execution is on, and the data stays as it is meanwhile",
    noCode: "The code of its app is not here, which checks data: serve with create_app(trees=[…])",
    idle: "No execution is on",
  },

  explained: {
    title: "How it stands",
    never: "Nothing was executed yet.",
    working: (n: number, left: number) =>
      `${n ? `${tasks(n)} ${plural(n, "is", "are")} under way` : "It is under way"}${left ? `, ${number(left)} ${plural(left, "is", "are")} still to come` : ""}.`,
    done: "All is done.",
    failed: (path: string, rest: number) =>
      `${path} failed${rest ? `, so ${tasks(rest)} ${plural(rest, "has", "have")} not begun` : ""}.`,
    failedSomewhere: "It failed.",
    cancelled: (why: string) => `It was cancelled${why && why !== "cancelled" ? `: ${why}` : ""}.`,
    error: (type: string, message: string) => `${type}: ${message}`,
    runs: (path: string, message: string) => `${path}${message ? ` is at ${message}` : " runs"}.`,
    stale: (n: number) =>
      `${n === 1 ? "One result is" : `${number(n)} results are`} stale: ${plural(n, "it", "they")} would be made of something else now. Nothing was thrown away.`,
    again: (name: string) => `Run ${name} again`,
  },

  views: { tree: "Tree", timeline: "Timeline", graph: "Graph" },
  viewLabel: "How the paths are shown",
  timeline: {
    title: "Over time",
    none: "Nothing was executed yet.",
    counts: (n: number, left: number) =>
      `${number(n)} ${plural(n, "path", "paths")}${left ? `, ${number(left)} ${plural(left, "has", "have")} not begun` : ""}`,
    bars: {
      waited: (took: string) => `waited ${took}`,
      ran: (took: string) => `ran ${took}`,
      below: (took: string) => `${took}, from the first task to the last`,
    },
    legend: { waited: "waited", ran: "ran", below: "from the first task of a group to the last" },
  },
  graph: {
    title: "What follows what",
    counts: (n: number, arrows: number) => `${tasks(n)}, ${number(arrows)} ${plural(arrows, "arrow", "arrows")}`,
    inside: (n: number) => `${tasks(n)} side by side`,
    after: (paths: readonly string[]) => `after ${list(paths)}`,
    legend: "An arrow leads to what is given a result; a pale one to what begins when that has ended. Dashed: not yet.",
    tooMany: (most: number) => `It has more than ${number(most)} tasks, which no picture can show: see them as a tree.`,
  },
  executions: {
    title: "Executions",
    more: "older ones are among the runs",
    heads: { began: "began", what: "what", took: "took", ended: "ended as" },
    by: (schedule: string) => `by ${schedule}`,
    later: "to begin",
  },
  edit: {
    act: "Edit data…",
    title: "Data",
    save: "Save data",
    cancel: "Leave it",
    saved: "The data is another one",
    unchanged: "Nothing is changed",
    changes: (names: readonly string[]) => `${list(names)} ${plural(names.length, "is", "are")} changed`,
    stale: (n: number) =>
      n === 0
        ? "No result becomes stale."
        : `${n === 1 ? "One result becomes" : `${number(n)} results become`} stale: `,
    rest: (n: number) => ` and ${number(n)} more`,
    keeps: "Nothing is thrown away, and nothing runs by itself.",
  },

  stale: "stale",
  staleBy: (name: string) => `stale · ${name} is stale`,
  staleAgain: (name: string) => `stale · ${name} ran again`,
  staleData: (names: readonly string[]) => `stale · ${names.length === 1 ? `${names[0]} changed` : "data changed"}`,
  paths: "Paths",
  pathsOf: (name: string) => `Paths of ${name}`,
  counts: (n: number, weight: string) => `${number(n)} ${plural(n, "path", "paths")}, weight ${weight}`,
  collapse: "Collapse all",
  expand: "Expand all",
  heads: { path: "path", state: "state", progress: "done, by weight", done: "done", weight: "weight", took: "took" },
  sideBySide: "side by side",
  inSequence: "one after another",
  queue: (name: string) => `queue ${name}`,
  needs: (names: readonly string[]) => `needs ${list(names)}`,
  conditionFalse: "its condition is false",
  attempt: (n: number) => `attempt ${number(n)}`,
  noneMatch: "No path is in this state",
  nothing: "–",

  panel: {
    pick: "Choose a path to see what it was given, its result and its log, and to run it.",
    revision: (n: number) => `revision ${number(n)}`,
    staleSays: "It would be given something else now than it was. The result can still be read.",
    staleBy: (path: string) => `Its result was made with that of ${path}, which is stale. It can still be read.`,
    staleAgain: (path: string) => `Its result was made with an earlier one of ${path}. It can still be read.`,
    staleData: (names: readonly string[]) =>
      `Its result was made of other data: ${names.length === 1 ? `${names[0]} has` : `one of ${list(names)} has`} changed. It can still be read.`,
    saw: "What it saw",
    reads: "What it reads",
    sawAt: (then: number, now: number, other: boolean) =>
      then === 0
        ? ""
        : then === now && other
          ? ` at ${number(then)}, stale`
          : ` at ${number(then)}, now ${number(now)}`,
    sawData: "data",
    sawDataOther: "data, perhaps another one now",
    run: "Run this path",
    alone: "this alone",
    group: "this, with all that is below it",
    users: (names: readonly string[], more: number) =>
      `this and all that uses it${names.length ? `: ${names.join(", ")}${more ? ` and ${number(more)} more` : ""}` : ": nothing does"}`,
    missing: "what is missing before it too",
    act: "Run",
    asPython: "As Python",
    copied: "Copied",
    result: "Result",
    resultStale: "Result, stale",
    resultBytes: (size: string) => size,
    whole: "Show all of it",
    cut: "It is shown in part.",
    times: "Times and tries",
    queued: "queued",
    began: "began",
    ended: "ended",
    took: "took",
    tries: "attempts",
    log: "Log",
    error: "Why it failed",
    close: "Close",
  },

  data: "Data",
  dataOf: (generator: string) => `of ${generator}`,

  cancelDialog: {
    title: "Cancel this execution?",
    says: "What runs is told to end, what is queued does not begin. What has ended stays.",
    reason: "Why",
    optional: "optional",
    keep: "Let it go on",
    act: "Cancel it",
    done: "It is being cancelled",
  },
  destroyDialog: {
    title: "Destroy this tree?",
    says: (name: string) =>
      `${name} goes, with its data, all results and all logs. An execution that is on is cancelled. Nothing brings it back.`,
    keep: "Keep it",
    act: "Destroy it",
    done: "Destroyed",
  },
  renameDialog: {
    title: "Name and labels",
    name: "Name",
    labels: "Labels",
    labelsHelp: "customer=7 plan=gold: separated by spaces; what is left out is taken away",
    wrong: (word: string) => `${word}: give a label as name=value`,
    act: "Save",
    done: "Saved",
  },
};
