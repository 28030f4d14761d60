import { list, number, plural } from "./words";

const units = [
  [86_400, "day", "days"],
  [3_600, "hour", "hours"],
  [60, "minute", "minutes"],
  [1, "second", "seconds"],
] as const;

export const schedules = {
  title: "Schedules",
  sub: (n: number, paused: number) =>
    `${n}${paused ? `, ${paused === 1 ? "one" : paused} paused` : ""} · slots are fired once, by the server’s clock, whatever process is alive`,
  fresh: "New schedule",
  empty: "No schedule yet",
  emptyMore:
    "A schedule starts a run of a workflow by the clock. Code declares it by cron= of define, or it is made here.",
  emptyCommand: 'flows schedules create nightly-invoices create-invoices --cron "0 3 * * *" --timezone Europe/Berlin',
  all: "All schedules",
  order: "what needs a look first",
  heads: {
    schedule: "schedule",
    when: "when",
    state: "state",
    last: "last slots, oldest first",
    next: "next",
    actions: "actions",
  },
  /** Of an expression whose words are those of a library: where it says no day, that is every day. */
  cron: (words: string, everyDay: boolean) => {
    const plain = words
      .replace(/ through /g, " to ")
      .replace(/, only on /g, ", on ")
      .replace(/, only in /g, ", in ");
    return everyDay && plain.startsWith("At ") ? `Every day at ${plain.slice(3)}` : plain;
  },
  every: (seconds: number) => {
    const [size, one, several] = units.find(([size]) => seconds % size === 0) ?? [1, "second", "seconds"];
    const n = seconds / size;
    return n === 1 ? `Every ${one}` : `Every ${n} ${several}`;
  },
  sinceEpoch: "since the epoch",
  everyShort: (seconds: number) => `Every(${seconds} s)`,
  takes: (took: string) => `takes ${took}`,
  missedN: (n: number) => `${n} missed`,
  skippedN: (n: number) => `${n} skipped: still open`,
  fullN: (n: number) => `${n} skipped: no slot free`,
  dueSince: (age: string) => `due for ${age}, nobody fires it`,
  noSlots: "no slot has come yet",
  moved: (day: string, local: string, at: string) => `${day} has no ${local}, so ${at}`,
  notThere: (local: string) => `(${local} does not exist)`,
  pausedSince: (at: string, note: string) => `paused ${at}${note ? `: ${note}` : ""}`,
  in: (age: string) => `in ${age}`,
  due: "due now",
  never: "never",
  stripOf: (done: number, failed: number, missed: number, skipped: number, total: number) =>
    `last ${total} slots: ${done} done, ${failed} failed, ${missed} missed, ${skipped} skipped`,
  slot: {
    done: (took: string) => `done in ${took}`,
    doneAt: (at: string, told: string) => `${at}: ${told}`,
    failed: (error: string) => `failed${error ? `: ${error}` : ""}`,
    cancelled: "cancelled",
    late: (late: string) => `made up, ${late} late`,
    runs: "runs now",
    waits: "waits",
    gone: "ran; its record is gone",
    missed: "missed",
    due: "due",
    planned: "planned",
    unknown: "before what is recorded",
    paused: "paused",
    open: "skipped: the last run was open",
    full: "skipped: no slot of the workflow was free",
    "queue full": "skipped: as many runs wait as may",
  },
  legend: {
    done: "done (height: how long)",
    failed: "failed",
    missed: "missed: nobody fired it",
    late: "made up late",
    skipped: "skipped by its rule",
    now: "runs now",
    off: "paused",
    ran: "ran",
  },
  states: { active: "active", paused: "paused" },
  alarm: {
    missed: (id: string, n: number) => `${id} missed ${n === 1 ? "a slot" : `${n} slots`}.`,
    away: (times: readonly string[], n: number) =>
      `${times.length === n ? `At ${list(times)}` : `From ${times[0]} to ${times.at(-1)}`} no process with workers was there to fire it.`,
    rules: {
      last: "Its rule is to make up the last one only",
      skip: "Its rule is to let them pass",
      all: "Its rule is to make up all of them",
    } as Record<string, string>,
    madeUp: (slot: string, late: string) => `: that of ${slot} was started ${late} late.`,
    stop: ".",
    due: (id: string) => `Nobody fires ${id}.`,
    dueMore: (age: string) => `It has been due for ${age}: no process with workers of any app is there.`,
    further: (names: readonly string[], n: number) =>
      `${list(names)}${n > names.length ? ` and ${n - names.length} more` : ""} missed slots, too.`,
    who: "See who was away",
    backfill: (n: number) => `Back-fill ${n}…`,
  },
  panel: {
    pick: "Choose a schedule to see what it starts and when.",
    starts: "starts",
    declared: "declared",
    inCode: (app: string) => `in the code of app ${app}`,
    byHand: "by hand, while workers run",
    overlap: "overlap",
    overlaps: {
      skip: "skip: not while the last run is open",
      queue: "queue: behind the last run, up to 100",
      cancel_running: "cancel_running: the last run is cancelled",
      allow: "allow: beside the last run",
    } as Record<string, string>,
    missed: "missed",
    misses: {
      last: "last: of missed slots only the last is run",
      skip: "skip: missed slots are not made up",
      all: "all: missed slots are made up in order",
    } as Record<string, string>,
    input: "input",
    created: "created",
    next: (zone: string) => `Next five, ${zone} time`,
    nextNone: "None: it is paused.",
    last: "Last five",
    lastNone: "No slot has come yet.",
    runs: "All runs of it",
  },
  backfill: {
    title: "Back-fill",
    from: "from",
    until: "until",
    zone: (zone: string) => `${zone} time`,
    says: (total: number, open: number, ran: number, ahead: number) =>
      `${number(total)} ${plural(total, "slot", "slots")}: ${open ? `${number(open)} ${plural(open, "has", "have")} no run and would run now` : "none would run"}` +
      `${ran ? `; ${number(ran)} ${plural(ran, "has a run and is", "have runs and are")} left alone` : ""}` +
      `${ahead ? `; ${ahead} ${plural(ahead, "is", "are")} still to come` : ""}.`,
    none: "No slot is between these times.",
    would: "would run",
    stays: "has a run",
    later: "is still to come",
    act: (n: number) => (n ? `Back-fill ${number(n)} ${plural(n, "slot", "slots")}` : "Back-fill"),
    nothing: "Every slot between these times has a run, or is still to come",
    looking: "It is looked which slots would run",
    done: (n: number) => `${n} ${plural(n, "run", "runs")} started`,
    list: "Slots",
    further: (n: number) => `and ${number(n)} more`,
    badTime: "Give two times, the second behind the first.",
  },
  acts: {
    run: "Run now",
    runOf: (id: string) => `Run ${id} now`,
    pause: "Pause",
    pauseOf: (id: string) => `Pause ${id}`,
    resume: "Resume",
    more: (id: string) => `Further actions on ${id}`,
    edit: "Edit…",
    delete: "Delete…",
    paused: (id: string) => `${id} is paused: its slots pass`,
    resumed: (id: string) => `${id} goes on with its next slot`,
    declared: (app: string) => `The code of app ${app} declares it: change it there, or pause it`,
  },
  runNow: {
    title: (id: string) => `Run ${id} now`,
    says: (workflow: string, input: boolean) =>
      `A run of ${workflow} starts at once${input ? ", with this input" : ""}. The slots of the schedule stay as they are.`,
    act: "Start the run",
    keep: "Not now",
    started: (id: string) => `A run of ${id} is started.`,
    open: "Open it",
  },
  remove: {
    title: (id: string) => `Delete ${id}`,
    says: "It starts no run any more. Runs that it has started stay.",
    act: "Delete schedule",
    keep: "Not now",
    done: (id: string) => `${id} is deleted`,
  },
  edit: {
    create: "New schedule",
    edit: (id: string) => `Edit ${id}`,
    id: "Name",
    workflow: "Workflow",
    when: "When",
    cron: "by a cron expression",
    every: "by an interval",
    expression: "Cron expression",
    expressionHelp: "minute, hour, day of the month, month, day of the week",
    zone: "Time zone",
    interval: "Interval",
    intervalHelp: "30s, 5m, 2h, 1d: at multiples of it since 1970",
    overlap: "While the last run is open",
    missed: "Slots that were missed",
    input: "Input of each run",
    act: "Make the schedule",
    save: "Save",
    made: (id: string) => `${id} is made`,
    saved: (id: string) => `${id} goes by its new times from now on`,
    unreadable: "This is no cron expression yet.",
  },
  day: {
    title: (from: string, until: string) => `A day, from ${from} to ${until}`,
    more: "coloured: ran · grey: planned · dashed: paused · comb: too dense for single marks",
    now: (at: string) => `now ${at}`,
    none: (names: readonly string[], n: number) =>
      `${list(names)}${n > names.length ? ` and ${n - names.length} more` : ""} ${plural(n, "is", "are")} not due in this day`,
    mark: (at: string, word: string) => `${at}: ${word}`,
    comb: (from: string, until: string) => `many from ${from} to ${until}`,
  },
};
