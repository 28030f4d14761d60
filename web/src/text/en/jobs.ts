import type { JobState } from "@typed-flows/react";
import { count } from "../../format";
import { states } from "./states";

const many = (n: number) => (n === 1 ? "1 job" : `${count(n)} jobs`);
const verbs = {
  retry: { do: "Retry", doing: "Retrying", done: "retried" },
  cancel: { do: "Cancel", doing: "Cancelling", done: "cancelled" },
  delete: { do: "Delete", doing: "Deleting", done: "deleted" },
  move: { do: "Move", doing: "Moving", done: "moved" },
};
export type Verb = keyof typeof verbs;
export const VERBS = Object.keys(verbs) as Verb[];

export const jobs = {
  title: "Jobs",
  sub: (flow: string) => ["of ", flow, " that match the search · the search is the address of this page"] as const,
  subPlaces: (flow: string, queue: string) =>
    ["of ", flow, " in ", queue, ", in the order in which they stand"] as const,
  copyLink: "Copy link",
  linkCopied: "The address of this search is copied",
  copyCommand: "Copy as command",
  commandCopied: "The command is copied",
  notCopied: "This browser does not let a page copy",
  statesLabel: "States",
  allStates: "all states",
  atLeast: (n: number) => `${count(n)}+`,
  sampled: (n: number) => `~ ${count(n)}`,
  atLeastTitle: "at least so many: 1,000 are looked at",
  sampledTitle: "a sample: done jobs have no list of their own",
  heading: (state: string, error: string, queue: string) => {
    const what = state ? state[0]!.toUpperCase() + state.slice(1) : "Jobs";
    return `${what}${error ? ` with ${error}` : ""}${queue ? ` in ${queue}` : ""}`;
  },
  /** By what the rows are ordered: "newest failure first". */
  newestFirst: (states: readonly string[]) => {
    const [only, ...more] = states;
    const what = only && !more.length ? { failed: "failure", cancelled: "cancellation" }[only] : undefined;
    return what ? `newest ${what} first` : "last ended first";
  },
  oldestFirst: "oldest in their state first",
  newer: (n: string) => `${n} newer match · show them`,
  further: (n: string) => `${n} further match · show them`,
  columns: {
    place: "place",
    state: "state",
    job: "job",
    lookups: "lookups",
    queue: "queue",
    since: "since",
    waits: "waits for",
    attempt: "attempt",
    error: "error",
    note: "note",
  },
  selectShown: "Select the rows shown",
  select: (id: string) => `Select ${id}`,
  attempts: (attempt: number, of: number | undefined) => (of === undefined ? `${attempt}` : `${attempt} / ${of}`),
  progress: (part: string, message: string) => (message ? `${part} · ${message}` : part),
  goneRow: "deleted: no match now",
  movedOn: (state: JobState) => `${states[state]}: no match now`,
  movedTo: (queue: string) => `in ${queue}: no match now`,
  stays: "came after the preview, stays",
  isNew: "new",
  soon: (verb: Verb, seconds: number) => `${verbs[verb].done} in ${seconds} s`,

  selection: {
    label: "What to do with the selection",
    some: (n: number) => `${count(n)} selected`,
    rest: "are selected",
    all: (n: number, exact: boolean) =>
      n === 1 && exact ? "The one that matches" : `All ${exact ? "" : "at least "}${count(n)} that match`,
    allUncounted: "All that match",
    takeAll: (n: number | null, exact: boolean) =>
      n === null ? "All that match" : `All ${exact ? "" : "at least "}${count(n)} that match`,
    onlyThese: (n: number) => `Only these ${count(n)}`,
    act: (verb: Verb) => `${verbs[verb].do}…`,
    clear: "Clear",
    noneFits: (verb: Verb) => `No selected job is in a state in which it can be ${verbs[verb].done}`,
    byIds: "A search by ids is acted on by its rows: select those",
  },

  preview: {
    title: (verb: Verb) => `${verbs[verb].do}: a preview`,
    label: (verb: Verb, n: number) => `Preview: ${verbs[verb].do.toLowerCase()} ${many(n)}`,
    close: "Close the preview",
    big: (n: number, exact: boolean) => `${exact ? "" : "at least "}${many(n)}`,
    none: (verb: Verb) => `Nothing to do: of what is selected, no job can be ${verbs[verb].done}.`,
    exactly: (verb: Verb, at: string) =>
      `counted exactly; only those that ${was[verb]} before ${at} are touched, so it ends and nothing is ${verbs[verb].done} twice.`,
    atLeast: (verb: Verb, at: string) =>
      `counted so far, there may be more; only those that ${was[verb]} before ${at} are touched, so it ends and nothing is ${verbs[verb].done} twice.`,
    chosen: "chosen one by one; each is acted on as it is then, or left where it has moved on.",
    left: (n: number) => `${many(n)} of the selection cannot be acted on so, and ${n === 1 ? "stays" : "stay"}.`,
    whatTheyAre: "What they are",
    ofFirst: (n: number) => `of the first ${count(n)}`,
    oldest: (verb: Verb) => (verb === "retry" ? "oldest ended" : "oldest since"),
    usedUp: "their attempts are used up",
    whatWillHappen: "What will happen",
    retry: "Each goes to the end of its queue with its attempts counted anew.",
    retryQueue: (waiting: number, queue: string) =>
      waiting === 0
        ? [`Nothing waits in `, queue, `: they begin as soon as a worker is free.`]
        : [`${count(waiting)} wait in `, queue, ` before them.`],
    retryBegins: (rate: string, first: string) => `${rate} leave a minute: the first begins in about ${first}.`,
    unserved: (queue: string) => ["No process serves ", queue, ": they wait until one does."] as const,
    pausedQueue: (queue: string) => ["", queue, " is paused: they wait until it goes on."] as const,
    failing: (queue: string, n: string) => ["", queue, ` still fails: ${n} a minute.`] as const,
    cancel:
      "Those that wait go at once; of those that run, the worker is asked to stop. Their children are cancelled too.",
    kept: (time: string) => `Their records stay for ${time}.`,
    delete: "Their records, logs, lookups and children are gone for good. This cannot be brought back.",
    move: "Each waits in the queue you choose, as if it had just come there; what that queue needs, they must have.",
    to: "To which queue",
    reason: "Why, for their records",
    sample: (shown: number, of: number) => `Sample, ${shown} of ${of}`,
    go: (verb: Verb, n: number) => `${verbs[verb].do} ${many(n)}`,
    sure: (n: number) => `Yes, delete ${many(n)} for good`,
    keep: "Not now",
    undoFor: (seconds: number) => `undo for ${seconds} s`,
    asking: "Counting…",
  },
  begun: (verb: Verb, n: number, queues: readonly string[], seconds: number) => {
    const of = queues.length > 2 ? ` of ${queues.length} queues` : queues.length ? ` of ${queues.join(" and ")}` : "";
    return `${verbs[verb].doing} ${many(n)}${of} in ${seconds} s`;
  },
  undone: "Undone: nothing was touched",
  stopped: "Stopped: what was not done yet stays as it is",
  progressOf: {
    runsNow: (verb: Verb) => `${verbs[verb].doing}.`,
    window: "It begins when the time to undo is over.",
    runs: (done: number, part: string) => `${count(done)} done, ${part}.`,
    done: (words: string) => `Done: ${words}.`,
    nothing: "nothing was left to do",
    cancelled: "It was stopped.",
    failed: "It has failed.",
    of: (word: string, n: number) => `${count(n)} ${word}`,
    stop: "Stop",
    hide: "Hide",
    jobs: (n: number) => many(n),
  },
  oneByOne: {
    result: (verb: Verb, done: number, refused: number) =>
      `${many(done)} ${verbs[verb].done}${refused ? `, ${count(refused)} not: ` : ""}`,
  },
  foot: {
    exactly: "match, exactly",
    atLeast: "match at least",
    sampled: "match; of done ones, those that ended last are known",
    looked: (n: number) => ` · looked through ${count(n)}`,
    found: (n: number) => `${count(n)} shown; a search for errors, workers or attempts looks at each job`,
    sample: "~ a sample: done jobs have no index of their own",
    export: "Export",
    exportCsv: "As a table (CSV)",
    exportLines: "As JSON, a line each",
    range: (from: number, to: number) => `${count(from)} to ${count(to)}`,
    first: "First",
    next: (n: number) => `Next ${n}`,
    previous: (n: number) => `Previous ${n}`,
  },
  places: {
    jump: "jump to",
    first: "First",
    last: "Last",
    where: (at: number, of: number) => `${count(at)} of ${count(of)}`,
    slider: "Place in the list",
    byCount: "by the queue’s own count, exactly",
    rows: (from: number, to: number) => `rows ${count(from)} to ${count(to)}`,
    window: "The list shows a window; it does not read a million rows.",
    grows: (n: number, rate: string) => `${count(n)} wait, and it grows by ${rate} a minute.`,
    shrinks: (n: number, rate: string) => `${count(n)} wait, and it shrinks by ${rate} a minute.`,
    stands: (n: number) => `${count(n)} wait.`,
    lastStarts: (time: string) => `At the pace of the last minutes the last one of now starts in ${time}.`,
    neverStarts: "Nothing leaves it at the moment.",
    limits: "Limits…",
    empty: "When it would be empty",
    comes: (rate: string) => `${rate} come in a minute`,
    asNow: "as now",
    at: (rate: string) => `${rate} leave a minute`,
    never: "never",
    howLong: "For how long",
    oldest: (age: string) => `oldest ${age}`,
    from: (place: string) => `from place ${place}`,
  },
  empty: {
    head: "No job matches",
    more: "The flow has jobs, but none like this. With a word less:",
    none: "This flow has no jobs yet.",
    noneMore: "What is created in code or here is shown at once.",
    without: (word: string) => `without ${word}`,
    command: (flow: string) => `flows jobs create ${flow} '{…}'`,
  },
  chooseFlow: { head: "Of which flow?", more: "A search is of one flow." },
  noFlows: { head: "No flow yet", more: "A flow appears when a process of it starts.", command: "flows demo" },
  refused: "The search cannot be read.",
  meant: "Did you mean",
};

const was: Record<Verb, string> = {
  retry: "had ended",
  cancel: "were there",
  delete: "were there",
  move: "were there",
};
