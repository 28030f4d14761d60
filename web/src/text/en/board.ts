import { count, duration, percent, rate, seconds, shortId, time } from "../../format";

const perMinute = (n: number) => count(Math.round(n));
const jobs = (n: number) => (n === 1 ? "1 job" : `${count(n)} jobs`);

export const board = {
  window: "How far back the figures go",
  windows: { "15m": "15 m", "1h": "1 h", "6h": "6 h", "24h": "24 h", "7d": "7 d" },
  /** In the words of a sentence. */
  last: {
    "15m": "last 15 minutes",
    "1h": "last hour",
    "6h": "last 6 hours",
    "24h": "last 24 hours",
    "7d": "last 7 days",
  },

  created: "Created",
  done: "Done",
  inFlight: "In flight",
  timeToStart: "Time to start",
  oldest: "Oldest waiting",
  failed: "Failed",
  perMinute: "/ min",
  of: (slots: number) => `of ${count(slots)}`,
  p95: "p95",
  firstQueue: "first queue",
  inQueue: "in",
  nothingWaits: "nothing waits",
  none: "–",
  more: (part: number) => `${part > 0 ? "+" : "−"}${percent(Math.abs(part))}`,
  moreJobs: (n: number) => `${n > 0 ? "+" : "−"} ${count(Math.abs(n))}`,
  against: "against as long before",
  figureLabel: (name: string, over: string) => `${name}, ${over}`,
  waitedIn: (queue: string) => `how long those waited that started in ${queue}`,

  wrong: "What is wrong",
  andMore: (n: number) => `and ${count(n)} more`,
  fewer: "Fewer",
  since: (age: string) => `since ${age}`,
  trouble: {
    unserved: (queue: string) => `Nobody works on ${queue}.`,
    unservedMore: (heard: string | null, there: number) =>
      `${jobs(there)} ${there === 1 ? "is" : "are"} there, and ${heard ? `no process that serves it was heard of since ${heard}.` : "no process that serves it was ever heard of."}`,
    orphans: (queue: string) => `${queue} is declared no more.`,
    orphansMore: (there: number) => `${jobs(there)} ${there === 1 ? "is" : "are"} left in it: move or cancel them.`,
    stuck: (queue: string) => `${queue} stands still.`,
    stuckMore: (waiting: number) =>
      `${jobs(waiting)} ${waiting === 1 ? "waits" : "wait"}, and none of its workers is busy or asks for work.`,
    paused: (queue: string) => `${queue} is paused.`,
    pausedMore: (by: string | null, at: string | null, until: string | null, note: string, waiting: number) =>
      [
        by || at ? `${by ? `By ${by}` : "It is"}${at ? ` since ${at}` : ""}${until ? `, until ${until}` : ""}.` : "",
        note ? `“${note}”` : "",
        `${jobs(waiting)} ${waiting === 1 ? "waits" : "wait"}.`,
      ]
        .filter(Boolean)
        .join(" "),
    held: (queue: string) => `${queue} is held.`,
    heldMore: (until: string, waiting: number) => `Nothing of it starts until ${until}; ${count(waiting)} wait.`,
    limited: (queue: string) => `${queue} is held back by its limit.`,
    behind: (queue: string) => `${queue} is behind.`,
    pace: (waiting: number, came: number | null, left: number | null) =>
      came == null || left == null
        ? `${count(waiting)} wait.`
        : `${count(waiting)} wait and ${perMinute(came)} come in a minute, ${perMinute(left)} leave.`,
    grows: (by: number) => `At this pace it grows by ${perMinute(by)} a minute.`,
    shrinks: (ms: number) => `At this pace it is empty in ${duration(ms)}.`,
    stays: "At this pace it stays so.",
    allBusy: (slots: number) => (slots === 1 ? "Its one slot is busy." : `All of its ${count(slots)} slots are busy.`),
    per: (group: string) => (group ? ` per ${group}` : " per group"),
    parked: (n: number) => `${count(n)} ${n === 1 ? "group is" : "groups are"} at ${n === 1 ? "its" : "their"} limit.`,
    failing: (queue: string) => `${queue} fails.`,
    failingMore: (failing: number, left: number | null, kept: number) =>
      `${left == null ? `${perMinute(failing)} jobs` : `${perMinute(failing)} of ${perMinute(left)} jobs that leave it`} in a minute have failed; ${count(kept)} are kept.`,
    oldest: (queue: string) => `The next job of ${queue} has waited too long.`,
    oldestMore: (s: number) => `It waits for ${seconds(s)}.`,
    blocked: (process: string) => `${process} is blocked.`,
    blockedMore: (s: number, queues: string) =>
      `Its event loop let all wait for ${seconds(s)}: nothing of ${queues || "its queues"} went on meanwhile.`,
    dead: (process: string) => `${process} was killed.`,
    deadMore: (heard: string, running: number) =>
      `It was heard of last at ${heard}; ${running ? `its ${jobs(running)} come back by themselves.` : "it had no jobs."}`,
  },
  raiseLimit: "Raise limit…",
  seeGroups: "See groups",
  resume: "Resume",
  letGo: "Let it go",
  seeWorkers: "See workers",
  seeJobs: "See jobs",
  seeFailed: "See failed jobs",
  retryFailed: "Retry failed…",
  retryFailedOf: (queue: string) => `Retry what has failed in ${queue}…`,

  jobsHere: (n: number) => (n === 1 ? "job here" : "jobs here"),
  children: (n: number) => (n === 1 ? "child" : "children"),
  parentQueue: "parent queue",
  fansOut: (n: number) => (n === 1 ? "fans out to 1 child queue" : `fans out to ${count(n)} child queues`),
  queue: (name: string) => `queue ${name}`,
  states: {
    waiting: "waiting",
    processing: "processing",
    children: "children",
    delayed: "delayed",
    failed: "failed",
    cancelled: "cancelled",
  },
  inOut: "in / out",
  lately: "of the last one to three minutes",
  minute: "min",
  oldestShort: "oldest",
  oldestParent: "oldest parent",
  busy: "busy",
  childrenLeft: "children left",
  timeToStartShort: "time to start",
  p50: "p50",
  noneStarted: "none started lately",
  runningNow: "Running now",
  next: "Next",
  endedLast: "Ended last",
  took: (ms: number) => `in ${duration(ms)}`,
  attempt: (n: number) => `attempt ${count(n)}`,
  now: "now",
  goesTo: "then",
  unservedChip: "no workers",
  pausedUntil: (until: string | null) => (until ? `paused until ${until}` : "paused"),
  heldUntil: (until: string) => `held until ${until}`,
  limit: {
    limiter: (live: number, interval: number, perGroup: boolean) =>
      `${count(live)} / ${interval === 1 ? "s" : seconds(interval)}${perGroup ? " per group" : ""}`,
    slots: (live: number, perGroup: boolean) => `max ${count(live)} at once${perGroup ? " per group" : ""}`,
    frees: (ms: number) => `frees in ${duration(Math.max(0, ms))}`,
    full: "all taken",
    parked: (n: number) => `${count(n)} ${n === 1 ? "group" : "groups"} at the limit`,
  },
  job: (id: string, rest: string) => `${shortId(id)} ${rest}`,

  pause: (queue: string) => `Pause ${queue}`,
  resumeQueue: (queue: string) => `Resume ${queue}`,
  moreFor: (queue: string) => `More for ${queue}`,
  pauseWhat: "No job of it starts until it is resumed. Jobs in flight go on.",
  pauseAct: "Pause",
  until: "For",
  untilResumed: "until resumed",
  lasting: { "15m": "15 m", "1h": "1 h", "4h": "4 h" },
  note: "Why, for whoever looks at it",
  cancel: "Cancel",
  paused: (queue: string) => `${queue} is paused`,
  resumed: (queue: string) => `${queue} goes on`,
  let: (queue: string) => `${queue} is let go`,
  drain: "Wait until it is empty…",
  drainTitle: (queue: string) => `Wait until ${queue} is empty`,
  drainWhat:
    "Waits for up to ten minutes until nothing waits in it, runs or awaits children. Jobs that come meanwhile are waited for too; pause the queue before it to stop them. It changes nothing.",
  drainAct: "Wait",
  drains: (queue: string) => `Waiting until ${queue} is empty`,
  drained: (queue: string) => `${queue} is empty`,
  limits: "Limits and groups",
  notLive: "the server does not answer: nothing is written now",
  noFailed: "nothing has failed here",
  noDelayed: "nothing is delayed here",
  runNow: "Run a delayed job now…",
  jobsOf: "Jobs here",
  copyName: "Copy its name",
  retryTitle: (queue: string) => `Retry what has failed in ${queue}`,
  retryCounting: "Counting…",
  retryWhat: (n: number, exact: boolean) =>
    `${exact ? "" : "At least "}${jobs(n)} that have failed by now go back to the end of this queue, with their attempts counted anew. What fails again is not retried twice.`,
  retryAct: (n: number) => `Retry ${count(n)}`,
  retrying: (n: number, queue: string) => `Retrying ${count(n)} failed ${n === 1 ? "job" : "jobs"} of ${queue}`,
  undone: "Nothing was retried",

  ended: "Ended per minute",
  retried: "retried",
  doneWord: "done",
  failedWord: "failed",
  endedLabel: (over: string) => `jobs that ended per minute, ${over}`,
  startLabel: (over: string) => `time to start in the first queue: p50, p95 and p99, ${over}`,
  deploy: (digest: string, at: string) => `${digest.slice(0, 4)} · ${at}`,
  deployed: (processes: number, digest: string, at: string) =>
    `${processes === 1 ? "a process" : `${count(processes)} processes`} of release ${digest.slice(0, 8)} came at ${at}`,
  soon: "The history begins with the first full step: a minute or two.",
  asTable: "As a table",
  at: "at",
  sumUp: (done: number, retried: number, failed: number) =>
    `${count(done)} done, ${count(retried)} tried again, ${count(failed)} failed`,
  startSum: (p50: number | null, p95: number | null) =>
    p95 == null ? "none started" : `half within ${duration(p50 ?? 0)}, 95 of 100 within ${duration(p95)}`,
  shown: (value: number | null) => (value == null ? "–" : rate(value)),
  ms: (value: number | null) => (value == null ? "–" : duration(value)),
  /** At an axis, where a power of ten stands. */
  tick: (ms: number) => (ms < 1000 ? `${count(ms)} ms` : `${count(ms / 1000)} s`),
  when: (at: number) => time(at),

  overview: "Flows",
  flowTitle: (flow: string) => `Flow ${flow}`,
  overviewSub: (flows: number, here: number) => `${count(flows)} flows, ${jobs(here)}`,
  queues: (n: number) => (n === 1 ? "1 queue" : `${count(n)} queues`),
  processes: (n: number) => (n === 0 ? "no process" : n === 1 ? "1 process" : `${count(n)} processes`),
  idle: "idle",
  failedShort: (n: number) => `${count(n)} failed`,
  oldestIn: (age: string, queue: string) => `the oldest waits for ${age} in ${queue}`,
  nothingMoves: "Nothing waits",

  empty: {
    head: "No flow yet",
    what: "A flow appears here by itself when its first process connects. Yours need no registration: name the same server.",
    demo: "Look at a shop that never closes",
    own: "Or declare your own",
    ownWhat: "Save it as first.py and run it: its board is here within seconds.",
    watch: "Then look from a terminal",
    code: `import asyncio
from typing import Literal
from pydantic import BaseModel
from flows import Flow, FlowOptions, Job, QueueOptions

class Greet(Job):
    name: str

class Who(BaseModel):
    name: str

flow = Flow[Greet, Who, Literal["name"]](
    FlowOptions("hello", [QueueOptions("hello-greet", job=Greet)], lookup_attributes=["name"])
)

async def greet(job: Greet) -> None:
    print("hello", job.name)

async def main() -> None:
    flow.create_workers(Greet, greet)
    async with flow:
        await flow.create_job(Who(name="ada"))
        await asyncio.sleep(60)

asyncio.run(main())`,
  },
  fresh: {
    sub: (flow: string) => `of ${flow} · declared, never used`,
    head: (flow: string) => `Nothing has come to ${flow} yet.`,
    what: (queues: number, served: boolean) =>
      `The flow is declared with ${queues === 1 ? "one queue" : `${count(queues)} queues`}. What is missing is ${served ? "a first job" : "a process that serves it and a first job"}.`,
    declared: "declared",
    declaredWhat: "The server knows its queues and what its jobs hold.",
    served: "has workers",
    servedWhat: (n: number) => `${n === 1 ? "A process serves" : `${count(n)} processes serve`} it.`,
    noWorker: "no worker",
    noWorkerWhat: "No process that serves it is heard of. Start one:",
    run: (flow: string) => `flows run app:${flow}`,
    noJob: "no job",
    noJobWhat: "Create one here, or from a shell:",
    create: (flow: string) => `flows jobs create ${flow} '{…}'`,
    fills: "This page fills by itself as soon as something comes.",
    first: "Jobs that were just created wait here, then run. You will see how many, for how long, and who is next.",
    then: (before: string) => `Jobs come here by themselves when ${before} has ended.`,
    last: "What ended last will stand here, failed ones above.",
  },
  noQueues: "This flow has no queue yet",
  noQueuesWhat: "Its queues come with the first process that declares them.",
};
