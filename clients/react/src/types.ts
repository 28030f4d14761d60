// Made by `flows types --ts`: what the operations of flows take and answer.

/** What came of an action. */
export interface Acted {
  word: string;
  flow?: string | null;
  id?: string | null;
  queue?: string | null;
}

/** An entry of the log of actions. */
export interface ActionView {
  id: string;
  at: string;
  request: string;
  caller: string;
  role: string;
  via: string;
  operation: string;
  flow: string;
  about: string;
  given: Record<string, unknown>;
  changed: Array<ChangeView>;
  word: string;
  count: number | null;
}

/** Some of the log, newest first. */
export interface ActionsPage {
  actions: Array<ActionView>;
  cursor: string;
}

/** One attempt that is over. */
export interface AttemptView {
  queue: string;
  attempt: number;
  worker: string;
  ended: string;
  verb: string;
  error_type?: string | null;
  error_message?: string | null;
  reason?: string;
}

export interface AuditListParams {
  /** Only what was about this flow. */
  flow?: string | null;
  /** Only what this one has asked for. */
  caller?: string | null;
  /** Only this operation, such as `queues.pause`, or this group of operations, such as `queues`; or one of several, with `|` between them. */
  doing?: string | null;
  /** Only what was asked about the job, run or schedule of this id, or has made it. */
  about?: string | null;
  /** Where to go on: what the page before had. */
  cursor?: string;
  /** So many at most. */
  limit?: number;
}

/** The runs that were started for past slots. */
export interface Backfilled {
  word: string;
  count: number;
  runs: Array<string>;
}

/** What a flow did in the window before: numbers of jobs, milliseconds. */
export interface Before {
  came: number;
  done: number;
  failed: number;
  start_p95: number | null;
}

/** What keeps an event loop from running. */
export interface BlockedView {
  seconds: number;
  where: string | null;
  until: string | null;
}

export interface BulkApplyParams {
  /** `retry`, `cancel`, `delete` or `move`. */
  verb: "retry" | "cancel" | "delete" | "move";
  /** Which jobs. */
  query: string;
  /** How many `bulk.preview` has counted. */
  seen: number;
  /** For so long nothing is done yet. */
  undo?: number | string;
  /** Why jobs are cancelled. */
  reason?: string;
  /** The queue to which jobs are moved. */
  to?: string;
  /** The flow, where the query does not name it. */
  flow?: string | null;
}

export interface BulkCancelParams {
  /** Of the action. */
  id: string;
}

/** Those of one queue that an action on many jobs would be about. */
export interface BulkPart {
  queue: string;
  count: number;
  oldest: string;
  used_up: number;
}

/** What an action on many jobs would be about. */
export interface BulkPreview {
  verb: string;
  flow: string;
  query: string;
  count: number;
  exact: boolean;
  sample: Array<JobRow>;
  before: string;
  parts: Array<BulkPart>;
}

export interface BulkPreviewParams {
  /** `retry`, `cancel`, `delete` or `move`. */
  verb: "retry" | "cancel" | "delete" | "move";
  /** Which jobs. */
  query: string;
  /** The flow, where the query does not name it. */
  flow?: string | null;
}

export interface BulkShowParams {
  /** Of the action, as `bulk.apply` has answered it. */
  id: string;
}

/** An action on many jobs that was begun: it is a job itself, of the flow `flows.bulk.<flow>`. */
export interface BulkStarted {
  word: string;
  id: string;
  flow: string;
  count: number;
  undo: number;
}

/** How far an action on many jobs is, or how it has ended. */
export interface BulkView {
  id: string;
  flow: string;
  verb: string;
  state: JobState;
  value: number;
  words: Record<string, number>;
  done: number;
  skipped: number;
  failed: number;
  error: string | null;
  log: Array<string>;
}

export interface BulkWaitParams {
  /** Of the action. */
  id: string;
  /** For how long, an hour at most. */
  timeout?: number | string;
}

/** What an action has made of a limit. */
export interface ChangeView {
  name: string;
  was: number;
  now: number;
  interval_was: number | null;
  interval: number | null;
}

/** How all is. */
export interface CheckView {
  healthy: boolean;
  findings: Array<Finding>;
}

/** A child in the list of its parent. */
export interface ChildRow {
  id: string;
  flow: string;
  queue: string;
  state: JobState;
  lookups: Record<string, unknown>;
  created: string;
  since: string;
  attempt: number;
  error_type: string | null;
  error_message: string;
  progress: number | null;
  message: string;
  worker: string;
  cut?: boolean;
  path: Array<VisitView>;
}

/** Some of the children of a job. */
export interface ChildrenPage {
  jobs: Array<ChildRow>;
  total: number;
  pending: number;
  gone: number;
  cursor: string;
}

/** A class that a flow declares. */
export interface ClassView {
  title: string;
  json_schema: Record<string, unknown> | null;
}

/** A job that was created, or that has the key already. */
export interface Created {
  word: string;
  flow: string;
  id: string;
  checked: string;
}

/** When a schedule comes: a slot, or many. */
export interface DayMark {
  at: string;
  until: string | null;
  word: "ran" | "missed" | "due" | "planned" | "unknown" | "paused" | "open" | "full" | "queue full";
}

/** When one schedule comes within a day. */
export interface DayView {
  id: string;
  marks: Array<DayMark>;
}

/** A queue as it is declared. */
export interface DeclaredQueueView {
  name: string;
  job: ClassView;
  parent: string | null;
  next: string | null;
  timeout: number | null;
  max_attempts: number;
  priorities: number;
  grouped_by: string | null;
  results: Array<ClassView>;
}

/** One thing that two releases declare otherwise; times are in seconds. */
export interface DifferenceView {
  what: string;
  queue: string | null;
  name: string | null;
  was: unknown;
  now: unknown;
  fits: boolean | null;
}

/** The stacks of a process. */
export interface DumpView {
  process: string;
  flow: string;
  at: string;
  tasks: number;
  cut: boolean;
  stacks: Array<StackView>;
}

/** How much has ended on one day. */
export interface EndedDayView {
  day: string;
  total: number;
  by: Record<string, number>;
}

/** Some of what has ended, newest first. */
export interface EndedPage {
  endings: Array<EndingRow>;
  cursor: string;
  logged: boolean;
}

/** A job that has ended, as the log of its flow has it; the job itself may be gone. */
export interface EndingRow {
  id: string;
  outcome: string;
  ended: string;
  fields: Record<string, unknown>;
  error: string | null;
}

/** Why a job has failed, or is tried again. */
export interface ErrorView {
  type: string;
  message: string;
  traceback: string;
  queue: string;
  attempt: number;
}

/** Why a job is where it is. */
export interface ExplanationView {
  id: string;
  flow: string;
  sentence: string;
  reason: string;
  remedy: string;
  facts: Record<string, unknown>;
}

/** One field of a job. */
export interface FieldView {
  name: string;
  value: unknown;
  hidden?: boolean;
  type?: string;
  of?: string;
  cut?: boolean;
}

/** Something that `server.check` has found. */
export interface Finding {
  level: "fine" | "warning" | "wrong";
  what: string;
  sentence: string;
  flow?: string | null;
  queue?: string | null;
  facts: Record<string, unknown>;
}

/** The history of a flow: each list has a value for each step, oldest first; the present step is the last. */
export interface FlowHistory {
  flow: string;
  step: number;
  first: string;
  known: string | null;
  came: Array<number>;
  done: Array<number>;
  failed: Array<number>;
  cancelled: Array<number>;
  retried: Array<number>;
  processing: Array<number>;
  start_p50: Array<number | null>;
  start_p95: Array<number | null>;
  start_p99: Array<number | null>;
  start_all: number | null;
  queues: Array<QueueHistory>;
  before: Before | null;
  marks: Array<Mark>;
}

/** A flow in a list. */
export interface FlowRow {
  name: string;
  own: boolean;
  queues: number;
  lookups: Array<string>;
  seen: string | null;
  releases: number;
}

/** What all queues of a flow hold now, its child queues included: numbers of jobs, ages in seconds. */
export interface FlowSummary {
  name: string;
  own: boolean;
  queues: number;
  waiting: number;
  processing: number;
  delayed: number;
  children: number;
  failed: number;
  cancelled: number;
  oldest: number | null;
  oldest_in: string | null;
  paused: Array<string>;
  unserved: Array<string>;
  workers: number;
  limits: number;
}

/** A flow, as its newest release declares it. */
export interface FlowView {
  name: string;
  own: boolean;
  queues: number;
  lookups: Array<string>;
  seen: string | null;
  releases: number;
  params: ClassView | null;
  declared: Array<DeclaredQueueView>;
  undeclared: Array<string>;
  versions: Array<ReleaseView>;
  kept: Record<string, number | null>;
}

export interface FlowsListParams {
  /** The library's own too: those of bulk actions, and `run`. */
  own?: boolean;
}

export interface FlowsOverviewParams {
}

export interface FlowsShowParams {
  /** Its name. */
  flow: string;
}

/** One group of a queue that is grouped. */
export interface GroupView {
  group: string | number | null;
  share: number;
  waiting: number;
  in_flight: number | null;
  parked: boolean;
  until: string | null;
  held: boolean;
  oldest: number | null;
  limits: Array<LimitView>;
}

/** Some groups of a queue. */
export interface GroupsPage {
  flow: string;
  queue: string;
  by: string;
  groups: Array<GroupView>;
  cursor: string;
}

/** How many jobs of a query are in which state, whatever states the query itself asks for. */
export interface JobCounts {
  flow: string;
  states: Array<StateCount>;
}

/** Some of the jobs that a query asks for. */
export interface JobPage {
  flow: string;
  jobs: Array<JobRow>;
  cursor: string;
  total: number | null;
  exact: boolean;
  looked_through: number;
  sampled: boolean;
  place?: number | null;
}

/** A job in a list. */
export interface JobRow {
  id: string;
  flow: string;
  queue: string;
  state: JobState;
  lookups: Record<string, unknown>;
  created: string;
  since: string;
  attempt: number;
  error_type: string | null;
  error_message: string;
  progress: number | null;
  message: string;
  worker: string;
  cut?: boolean;
}

/** The state of a job: whether it waits, runs or has ended, and how. */
export type JobState = "waiting" | "processing" | "delayed" | "children" | "done" | "failed" | "cancelled";

/** A job, with all that is kept of it. */
export interface JobView {
  id: string;
  flow: string;
  queue: string;
  state: JobState;
  lookups: Record<string, unknown>;
  created: string;
  since: string;
  attempt: number;
  error_type: string | null;
  error_message: string;
  progress: number | null;
  message: string;
  worker: string;
  cut?: boolean;
  fields: Array<FieldView>;
  path: Array<VisitView>;
  attempts: Array<AttemptView>;
  error: ErrorView | null;
  children: Rollup | null;
  overall: number;
  parent: string | null;
  expires: string | null;
  priority: number;
  cost: number;
  correlation_id: string | null;
  idempotency_key: string | null;
  reason: string;
}

export interface JobsCancelParams {
  /** Of the job. */
  id: string;
  /** Why; its record has it. */
  reason?: string;
  /** Its flow, or its child queue; it is looked for where this is left out. */
  flow?: string | null;
}

export interface JobsChildrenParams {
  /** Of the parent. */
  id: string;
  /** Where to go on: what the page before had. */
  cursor?: string;
  /** So many at most. */
  limit?: number;
  /** Its flow, or its child queue; it is looked for where this is left out. */
  flow?: string | null;
}

export interface JobsCountParams {
  /** Words that all have to hold. */
  query?: string;
  /** The flow, where the query does not name it, and there are several. */
  flow?: string | null;
}

export interface JobsCreateParams {
  /** The flow. */
  flow: string;
  /** What the job is created with, as JSON. */
  params: Record<string, unknown>;
  /** It starts so much later. */
  delay?: number | string | null;
  /** It starts then: an instant with a time zone. */
  run_at?: string | null;
  /** 1 to 8, 1 first. */
  priority?: number | null;
  /** How many tokens and slots one start of it takes. */
  cost?: number | null;
  /** One job for this key: the id of the first is returned. */
  idempotency_key?: string | null;
  /** A text that every worker of the job sees. */
  correlation_id?: string | null;
}

export interface JobsDeleteParams {
  /** Of the job. */
  id: string;
  /** Its flow, or its child queue; it is looked for where this is left out. */
  flow?: string | null;
}

export interface JobsEndedByDayParams {
  /** Its name. */
  flow: string;
  /** How they ended: `done`, `failed` or `cancelled`. */
  outcome?: "done" | "failed" | "cancelled";
  /** How many days. */
  days?: number;
  /** The last of them, such as 2026-11-26; today where it is left out. */
  until?: string | null;
  /** In whose time zone the days are meant, such as Europe/Berlin. */
  timezone?: string;
  /** A copied field, by whose values they are counted too. */
  by?: string;
}

export interface JobsEndedParams {
  /** Its name. */
  flow: string;
  /** How they ended: `done`, `failed` or `cancelled`. */
  outcome?: "done" | "failed" | "cancelled";
  /** Only on this day, such as 2026-11-26. */
  day?: string | null;
  /** In whose time zone the day is meant, such as Europe/Berlin. */
  timezone?: string;
  /** Only failures by this type of error. */
  error?: string | null;
  /** Only those whose copied fields have these values, as JSON. */
  fields?: Record<string, unknown> | null;
  /** Where to go on: what the page before had. */
  cursor?: string;
  /** So many at most. */
  limit?: number;
}

export interface JobsExplainParams {
  /** Of the job, or of a child. */
  id: string;
  /** Its flow, or its child queue; it is looked for where this is left out. */
  flow?: string | null;
}

export interface JobsFindParams {
  /** Words that all have to hold; without one, all jobs of the flow. */
  query?: string;
  /** The flow, where the query does not name it, and there are several. */
  flow?: string | null;
  /** Where to go on: what the page before had. */
  cursor?: string;
  /** So many jobs at most. */
  limit?: number;
  /** Begin at this place, from 0 on, without a cursor: in the list of one queue and state. */
  at?: number | null;
}

export interface JobsHistoryParams {
  /** Of the job. */
  id: string;
  /** Its flow, or its child queue; it is looked for where this is left out. */
  flow?: string | null;
}

export interface JobsLogParams {
  /** Of the job. */
  id: string;
  /** Only lines with a higher number. */
  after?: number;
  /** So many at most, the last ones. */
  limit?: number;
  /** Whether long texts and values are shown in full. */
  whole?: boolean;
  /** Its flow, or its child queue; it is looked for where this is left out. */
  flow?: string | null;
}

export interface JobsMoveParams {
  /** Of a job that waits, is delayed, has failed or was cancelled. */
  id: string;
  /** The queue. The job has to have the fields that it needs. */
  to: string;
  /** Other values of some of its fields, as JSON: of what workers have left or are to find. */
  fields?: Record<string, unknown> | null;
  /** Params may be among the fields; what it is looked up by then changes with them. */
  edit_params?: boolean;
  /** Its flow; it is looked for where this is left out. */
  flow?: string | null;
}

export interface JobsPositionParams {
  /** Of the job. */
  id: string;
  /** Its flow, or its child queue; it is looked for where this is left out. */
  flow?: string | null;
}

export interface JobsPromoteParams {
  /** Of the job. */
  id: string;
  /** Its flow, or its child queue; it is looked for where this is left out. */
  flow?: string | null;
}

export interface JobsRetryParams {
  /** Of the job. */
  id: string;
  /** Its flow, or its child queue; it is looked for where this is left out. */
  flow?: string | null;
}

export interface JobsSetPriorityParams {
  /** Of the job. */
  id: string;
  /** 1 to 8, 1 first; in a queue with fewer priorities, one of the last. */
  priority: number;
  /** Its flow, or its child queue; it is looked for where this is left out. */
  flow?: string | null;
}

export interface JobsShowParams {
  /** Of the job, or of a child. */
  id: string;
  /** Whether long texts and values are shown in full. */
  whole?: boolean;
  /** Its flow, or its child queue; it is looked for where this is left out. */
  flow?: string | null;
}

export interface JobsWaitParams {
  /** Of the job. */
  id: string;
  /** For how long, an hour at most. */
  timeout?: number | string;
  /** Its flow, or its child queue; it is looked for where this is left out. */
  flow?: string | null;
}

/** The first jobs of each queue of a flow. */
export interface LanesView {
  queues: Array<QueueLanes>;
}

/** How long jobs of a queue waited and ran, in milliseconds: bounds that so many percent do not exceed. */
export interface LatencyView {
  queue: string;
  flow: string;
  since: string;
  began: number;
  ended: number;
  start: Record<string, number>;
  run: Record<string, number>;
}

/** A limiter, or the slots, of a queue. */
export interface LimitView {
  id: string;
  kind: string;
  declared: number;
  live: number;
  interval: number | null;
  used: number | null;
  free: number | null;
  ready: string | null;
  per_group: boolean;
  smooth: boolean;
}

/** The limits of a queue. */
export interface LimitsView {
  word: string;
  flow: string;
  queue: string;
  limits: Array<LimitView>;
  before: Array<LimitView> | null;
}

/** A line that a worker function has logged. */
export interface LogLineView {
  n: number;
  at: string;
  level: string;
  text: string;
  meta: Record<string, unknown>;
  attempt: number;
  late: boolean;
  cut?: boolean;
  status?: string;
}

/** Lines of a job's log, oldest first. */
export interface LogView {
  lines: Array<LogLineView>;
  last: number;
  hidden: boolean;
}

/** Processes that came. */
export interface Mark {
  at: string;
  digest: string;
  processes: number;
}

/** Whose the memory is, by a sample. */
export interface MemoryView {
  keys: number;
  looked: number;
  share: number | null;
  bytes: Record<string, number>;
  counts: Record<string, number>;
}

/** A slot that comes at another time than its schedule says. */
export interface MovedSlot {
  slot: string;
  local: string;
}

/** What there is, in numbers. */
export interface Overview {
  flows: Array<FlowSummary>;
  runs: number;
  trees: number;
  schedules: number;
  workers: number;
  limits: number;
}

/** A visit of a run that is over: it failed or was cancelled, and was retried. */
export interface PastVisitView {
  ended: string;
  next: string;
  status: string;
  error_type: string | null;
  steps: Array<StepView>;
}

/** How far a job is from its turn. */
export interface PositionView {
  ahead: number | null;
  exact: boolean;
  delayed_until: string | null;
  in_group: number | null;
}

/** Of one queue, a value for each step. */
export interface QueueHistory {
  name: string;
  waiting: Array<number>;
  start_p95: Array<number | null>;
}

/** The first jobs of a queue. */
export interface QueueLanes {
  name: string;
  running: Array<JobRow>;
  next: Array<JobRow>;
  ended: Array<JobRow>;
}

/** A queue now: numbers of jobs, rates per minute, ages in seconds, latencies in milliseconds. */
export interface QueueView {
  name: string;
  flow: string;
  job: string;
  parent: string | null;
  next: string | null;
  paused: boolean;
  paused_until: string | null;
  paused_at: string | null;
  note: string;
  held_until: string | null;
  waiting: number;
  processing: number;
  delayed: number;
  children: number;
  failed: number;
  cancelled: number;
  oldest: number | null;
  due: string | null;
  came: number | null;
  left: number | null;
  failing: number | null;
  start_p50: number | null;
  start_p95: number | null;
  run_p95: number | null;
  workers: number;
  slots: number;
  busy: number;
  unserved: boolean;
  groups: number;
  parked: number;
  limits: Array<LimitView>;
  counts: Record<string, number>;
  unreadable: Array<string>;
}

/** Queues at one moment. */
export interface Queues {
  at: string;
  queues: Array<QueueView>;
}

export interface QueuesDrainParams {
  /** Its full name. */
  queue: string;
  /** For how long, an hour at most. */
  timeout?: number | string;
  /** Of a queue that several flows share, one of them. */
  flow?: string | null;
}

export interface QueuesGroupsParams {
  /** Its full name. */
  queue: string;
  /** Where to go on: what the page before had. */
  cursor?: string;
  /** So many; a page may have some more. */
  limit?: number;
  /** Of a queue that several flows share, one of them. */
  flow?: string | null;
}

export interface QueuesHoldParams {
  /** Its full name. */
  queue: string;
  /** For how long; 0 ends a hold. */
  lasting: number | string;
  /** Hold this group alone. */
  group?: string | null;
  /** Of a queue that several flows share, one of them. */
  flow?: string | null;
}

export interface QueuesLanesParams {
  /** Its name. */
  flow: string;
}

export interface QueuesLimitsParams {
  /** Its full name. */
  queue: string;
  /** A value of the field by which the queue is grouped: what that group has used of its own. */
  group?: string | null;
  /** Of a queue that several flows share, one of them. */
  flow?: string | null;
}

export interface QueuesPauseParams {
  /** Its full name. */
  queue: string;
  /** An instant with a time zone, by the server's clock. */
  until?: string | null;
  /** For so long, in place of `until`. */
  lasting?: number | string | null;
  /** Who or why: whoever looks at the queue sees it. */
  note?: string;
  /** Of a queue that several flows share, one of them. */
  flow?: string | null;
}

export interface QueuesResumeParams {
  /** Its full name. */
  queue: string;
  /** Of a queue that several flows share, one of them. */
  flow?: string | null;
}

export interface QueuesSetConcurrencyParams {
  /** Its full name. */
  queue: string;
  /** Of the queue, or with `group` of that group; left out, as declared again. */
  most?: number | null;
  /** Of each group; left out, as declared again. */
  per_group?: number | null;
  /** The group that `most` is for. */
  group?: string | null;
  /** Of a queue that several flows share, one of them. */
  flow?: string | null;
}

export interface QueuesSetLimitParams {
  /** Its full name. */
  queue: string;
  /** Its id, as `queues.limits` shows it. */
  limiter: string;
  /** Tokens; without one, reservoir and interval as declared again. */
  reservoir?: number | null;
  /** After which a token comes back; as declared where it is left out. */
  interval?: number | string | null;
  /** For this group alone, where each has its own. */
  group?: string | null;
  /** Of a queue that several flows share, one of them. */
  flow?: string | null;
}

export interface QueuesSetShareParams {
  /** Its full name. */
  queue: string;
  /** A value of the field by which the queue is grouped. */
  group: string;
  /** 0.001 to 1,000. */
  share: number;
  /** Of a queue that several flows share, one of them. */
  flow?: string | null;
}

export interface QueuesShowParams {
  /** Only those of this flow. */
  flow?: string | null;
  /** Only this one, by its full name. */
  queue?: string | null;
}

/** What the live processes of one release of a flow have done within the last minute or so. */
export interface ReleaseFigures {
  digest: string;
  seen: string | null;
  since: string | null;
  processes: number;
  leaving: number;
  slots: number;
  busy: number;
  per_minute: number | null;
  failed: number | null;
  start_p95: number | null;
  run_p95: number | null;
  lag: number | null;
  rss: number | null;
}

/** A release of a flow. */
export interface ReleaseView {
  digest: string;
  seen: string | null;
  processes: number;
}

/** The releases of a flow side by side. */
export interface ReleasesView {
  flow: string;
  new: string | null;
  old: string | null;
  releases: Array<ReleaseFigures>;
  differences: Array<DifferenceView>;
}

/** What the reconcilers have repaired just now. */
export interface RepairView {
  word: string;
  count: number;
  by_flow: Record<string, Record<string, number>>;
}

/** How many children a job has; their states stand in `jobs.children`. */
export interface Rollup {
  total: number;
  pending: number;
}

/** Some runs, newest first. */
export interface RunPageView {
  runs: Array<RunRow>;
  cursor: string;
}

/** A run in a list. */
export interface RunRow {
  id: string;
  workflow: string;
  status: "waiting" | "delayed" | "processing" | "suspended" | "done" | "failed" | "cancelled";
  awaits: "answer" | "event" | "runs" | "time" | null;
  queue: string;
  created: string;
  since: string;
  attempts: number;
  tags: Array<string>;
  lookups: Record<string, string>;
  error_type: string | null;
  progress: number | null;
  message: string;
  schedule: string | null;
  version: string | null;
  cut?: boolean;
}

/** A run that was started. */
export interface RunStarted {
  word: string;
  id: string;
  flow?: string;
}

/** A run, with all that is recorded of it. */
export interface RunView {
  id: string;
  workflow: string;
  status: "waiting" | "delayed" | "processing" | "suspended" | "done" | "failed" | "cancelled";
  awaits: "answer" | "event" | "runs" | "time" | null;
  queue: string;
  created: string;
  since: string;
  attempts: number;
  tags: Array<string>;
  lookups: Record<string, string>;
  error_type: string | null;
  progress: number | null;
  message: string;
  schedule: string | null;
  version: string | null;
  cut?: boolean;
  overall: number;
  input: unknown;
  output: unknown;
  error: ErrorView | null;
  reason: string;
  steps: Array<StepView>;
  steps_before: number;
  past: Array<PastVisitView>;
  deadline: string | null;
  path: Array<VisitView>;
  history: Array<AttemptView>;
  slot: string | null;
  forked_from: string | null;
  correlation_id: string | null;
}

/** A job that ran in a process when that was heard of last. */
export interface RunningView {
  queue: string;
  id: string;
  started: string;
}

export interface RunsCancelParams {
  /** Of the run. */
  id: string;
  /** Why; its record has it. */
  reason?: string;
}

export interface RunsChildrenParams {
  /** Of the run. */
  id: string;
  /** The step's name: one that waits, or has waited, for runs. */
  step: string;
  /** The first one's place, from 0. */
  start?: number;
  /** So many at most. */
  limit?: number;
}

export interface RunsExplainParams {
  /** Of the run. */
  id: string;
}

export interface RunsForkParams {
  /** Of the other run, which stays as it is. */
  id: string;
  /** The step's name; without one, the new run begins anew. */
  step?: string;
  /** Another input; without one, that of the other run. */
  input?: unknown;
}

export interface RunsListParams {
  /** Only of this workflow. */
  workflow?: string | null;
  /** Only with one of these. */
  status?: Array<"waiting" | "delayed" | "processing" | "suspended" | "done" | "failed" | "cancelled"> | null;
  /** Only with this tag. */
  tag?: string | null;
  /** Only those whose input has these values, of fields that the workflow declares as lookups. */
  lookup?: Record<string, string> | null;
  /** Only those that were started then or later: an instant with a time zone. */
  since?: string | null;
  /** Only those that were started before. */
  until?: string | null;
  /** Where to go on: what the page before had. */
  cursor?: string;
  /** So many at most. */
  limit?: number;
}

export interface RunsMoveParams {
  /** Its name. */
  workflow: string;
  /** That of the runs; without one, of those that stay with none. */
  version?: string | null;
  /** That of the workers; without one, of a release that does not pin. */
  to?: string | null;
}

export interface RunsProvideParams {
  /** Of the run. */
  id: string;
  /** The step's name. */
  step: string;
  /** The answer, plain JSON. */
  data: unknown;
}

export interface RunsRetryParams {
  /** Of the run. */
  id: string;
}

export interface RunsSendParams {
  /** Of the run. */
  id: string;
  /** The step's name. */
  step: string;
  /** What the event carries, plain JSON; the step judges whether it fits. */
  data: unknown;
}

export interface RunsShowParams {
  /** Of the run. */
  id: string;
  /** Whether long texts and values are shown in full. */
  whole?: boolean;
}

export interface RunsStartParams {
  /** Its name. */
  workflow: string;
  /** Plain JSON. */
  input?: unknown;
  /** It starts so much later. */
  delay?: number | string | null;
  /** It starts then: an instant with a time zone. */
  run_at?: string | null;
  /** 1 to 8, 1 first. */
  priority?: number | null;
  /** Workers of this queue take it, in place of the workflow's own. */
  queue?: string | null;
  /** By what it is found. */
  tags?: Array<string> | null;
  /** One run of the workflow for this key: the id of the first is returned. */
  idempotency_key?: string | null;
  /** A text that all steps of the run see. */
  correlation_id?: string | null;
}

export interface RunsStepsParams {
  /** Of the run. */
  id: string;
  /** The first one's place, from 0. */
  start?: number;
  /** So many at most. */
  limit?: number;
}

export interface RunsWaitParams {
  /** Of the run. */
  id: string;
  /** For how long, an hour at most. */
  timeout?: number | string;
}

export interface RunsWorkflowsParams {
}

/** A schedule. */
export interface ScheduleView {
  id: string;
  workflow: string;
  app: string | null;
  cron: string | null;
  timezone: string | null;
  interval: number | null;
  overlap: string;
  missed: string;
  input: unknown;
  next: string | null;
  upcoming: Array<string>;
  moved: Array<MovedSlot>;
  slots: Array<SlotView>;
  paused: string | null;
  note: string;
  last_run: string | null;
  last_slot: string | null;
  created: string | null;
  cut?: boolean;
}

export interface SchedulesBackfillParams {
  /** Of the schedule. */
  id: string;
  /** The first slot that counts: an instant with a time zone. */
  start: string;
  /** The last one; it must be over. */
  end: string;
}

export interface SchedulesCreateParams {
  /** Names it. */
  id: string;
  /** Of which it starts runs. */
  workflow: string;
  /** The input of each, plain JSON. */
  input?: unknown;
  /** Five fields, or `@daily` and its like; or give `every`. */
  cron?: string | null;
  /** The zone whose wall clock counts for `cron`. */
  timezone?: string;
  /** The interval; or give `cron`. */
  every?: number | string | null;
  /** What happens while its last run is open: `skip`, `queue`, `cancel_running` or `allow`. */
  overlap?: "skip" | "queue" | "cancel_running" | "allow";
  /** What happens to slots that came while no worker ran: `last`, `skip` or `all`. */
  missed?: "last" | "skip" | "all";
}

export interface SchedulesDayParams {
  /** An instant with a time zone. */
  start: string;
  /** Another one, a day later at most. */
  end: string;
}

export interface SchedulesDeleteParams {
  /** Of the schedule. */
  id: string;
}

export interface SchedulesEditParams {
  /** Of the schedule. */
  id: string;
  /** The input of each run, plain JSON. */
  input?: unknown;
  /** As of `schedules.create`. */
  cron?: string | null;
  /** As of `schedules.create`. */
  timezone?: string;
  /** As of `schedules.create`. */
  every?: number | string | null;
  /** As of `schedules.create`. */
  overlap?: "skip" | "queue" | "cancel_running" | "allow";
  /** As of `schedules.create`. */
  missed?: "last" | "skip" | "all";
}

export interface SchedulesListParams {
  /** Only of this workflow. */
  workflow?: string | null;
  /** What became of so many slots of each that came last, fewer where there are many schedules. */
  slots?: number;
  /** Whether long texts and values are shown in full. */
  whole?: boolean;
}

export interface SchedulesPauseParams {
  /** Of the schedule. */
  id: string;
  /** Why. */
  note?: string;
}

export interface SchedulesResumeParams {
  /** Of the schedule. */
  id: string;
}

export interface SchedulesSlotsParams {
  /** Of the schedule. */
  id: string;
  /** The first slot that counts: an instant with a time zone. */
  start: string;
  /** The last one. */
  end: string;
}

export interface SchedulesTriggerParams {
  /** Of the schedule. */
  id: string;
}

/** One step of a queue's history. */
export interface SeriesPoint {
  at: string;
  step: number;
  waiting: number;
  delayed: number;
  processing: number;
  children: number;
  totals: Record<string, number>;
  began: number;
  start_p50: number | null;
  start_p95: number | null;
  run_p50: number | null;
  run_p95: number | null;
}

/** A queue's history, oldest first; steps in which nothing was there and nothing happened are left out. */
export interface SeriesView {
  queue: string;
  flow: string;
  points: Array<SeriesPoint>;
}

/** A queue that a process serves. */
export interface ServedView {
  queue: string;
  workers: number;
  slots: number;
  busy: number;
  asked: string | null;
}

export interface ServerCheckParams {
  /** Only in this flow. */
  flow?: string | null;
  /** Only in this queue. */
  queue?: string | null;
  /** It is wrong where the next job of a queue has waited longer than this. */
  max_oldest?: number | string | null;
}

export interface ServerMemoryParams {
}

export interface ServerRepairParams {
  /** Only in this flow. */
  flow?: string | null;
  /** For so long at most, 10 minutes. */
  timeout?: number | string;
}

export interface ServerShowParams {
}

export interface ServerSlowParams {
}

/** The server, as it says it is; what its account may not ask is 0 or empty. */
export interface ServerView {
  version: string;
  mode: string;
  role: string;
  uptime: number;
  memory: number;
  memory_peak: number;
  memory_max: number;
  policy: string;
  persistent: boolean;
  saving: "none" | "file" | "snapshots" | "both";
  saved: string | null;
  save_failed: boolean;
  clients: number;
  clients_max: number;
  clients_blocked: number;
  replicas: number;
  evicted: number;
  fragmentation: number | null;
  commands: number;
  latency: number;
  clock: number;
  flows: number;
  flows_version: string;
}

/** One slot of a schedule. */
export interface SlotView {
  at: string;
  word: "ran" | "missed" | "due" | "planned" | "unknown" | "paused" | "open" | "full" | "queue full";
  run: string | null;
  status: "waiting" | "delayed" | "processing" | "suspended" | "done" | "failed" | "cancelled" | null;
  late: number;
  took: number | null;
  error_type: string | null;
}

/** Slots of one schedule. */
export interface SlotsView {
  slots: Array<SlotView>;
  total: number;
  without_run: number;
}

/** A script, or another command, that was slow. */
export interface SlowCommandView {
  name: string;
  script: boolean;
  count: number;
  worst: number;
  last: string;
}

/** What the server has found slow, of the last 128 such commands. */
export interface SlowView {
  told: boolean;
  commands: Array<SlowCommandView>;
}

/** Where some tasks or threads of a process are; those that are in the same place are told once. */
export interface StackView {
  kind: "task" | "thread" | "main thread";
  count: number;
  frames: Array<string>;
}

/** How many jobs of a query are in a state. */
export interface StateCount {
  state: JobState;
  count: number;
  exact: boolean;
  sampled: boolean;
}

export interface StatsFlowParams {
  /** Its name. */
  flow: string;
  /** Of so long ago until now: `15m`, `1h`, `6h`, `24h` or `7d`. */
  since?: "15m" | "1h" | "6h" | "24h" | "7d";
}

export interface StatsLatencyParams {
  /** Its full name. */
  queue: string;
  /** Of so long ago until now; a week at most. */
  since?: number | string;
  /** Of a queue that several flows share, one of them. */
  flow?: string | null;
}

export interface StatsSeriesParams {
  /** Its full name. */
  queue: string;
  /** How it is divided: `minute`, `ten minutes` or `hour`. */
  step?: "minute" | "ten minutes" | "hour";
  /** So many steps at most, the present one included. */
  count?: number | null;
  /** Of a queue that several flows share, one of them. */
  flow?: string | null;
}

/** One of the runs that a step has started. */
export interface StepChildView {
  index: number;
  id: string;
  status: string;
  error_type: string | null;
  since: string | null;
  attempts: number;
}

/** Some of the runs that a step has started, in their order. */
export interface StepChildrenView {
  children: Array<StepChildView>;
  total: number;
  ended: number;
}

/** One try of a step. */
export interface StepTryView {
  began: string;
  took: number;
  error_type: string;
}

/** A step of a run. */
export interface StepView {
  name: string;
  kind: string;
  status: string;
  began: string | null;
  took: number;
  tries: number;
  tried: Array<StepTryView>;
  undo: boolean;
  until: string | null;
  result: unknown;
  error_type: string | null;
  error_message: string | null;
  prompt: string;
  refused: string;
  answer_schema: Record<string, unknown> | null;
  event: string | null;
  key: string | null;
  workflow: string | null;
  total: number | null;
  ended: number | null;
  cut?: boolean;
}

/** Some steps of a run. */
export interface StepsView {
  steps: Array<StepView>;
  total: number;
}

/** How a task stands; a group as follows from what is below it. */
export interface TaskStateView {
  status: "inactive" | "queued" | "running" | "ok" | "skipped" | "failed" | "cancelled";
  stale: boolean;
  progress: number;
  message: string;
  queued: string | null;
  started: string | null;
  ended: string | null;
  attempt: number;
  error: ErrorView | null;
  because: string;
  bytes: number | null;
  order: number;
  inputs: Record<string, number>;
}

/** An app of task trees. */
export interface TreeAppView {
  app: string;
  generators: Array<string>;
}

/** An execution of an instance. */
export interface TreeExecutionView {
  id: string;
  path: string;
  status: "idle" | "working" | "done" | "failed" | "cancelled";
  began: string;
  ended: string | null;
  schedule: string | null;
}

/** The last executions of an instance, newest first. */
export interface TreeExecutionsView {
  executions: Array<TreeExecutionView>;
  more: boolean;
}

/** Some instances, newest first. */
export interface TreePageView {
  trees: Array<TreeRow>;
  cursor: string;
}

/** The result of a task; of a group, those of what is directly below it, by name. */
export interface TreeResultView {
  path: string;
  stale: boolean;
  result: unknown;
  cut?: boolean;
}

/** An instance in a list. */
export interface TreeRow {
  id: string;
  app: string;
  generator: string;
  realm: string;
  name: string;
  labels: Record<string, string>;
  ephemeral: boolean;
  status: "idle" | "working" | "done" | "failed" | "cancelled";
  progress: number;
  created: string;
  updated: string;
  cut?: boolean;
}

/** An execution that has begun. */
export interface TreeStarted {
  word: string;
  id: string;
  execution: string;
}

/** A task as it was declared, with those below it. */
export interface TreeTaskView {
  path: string;
  name: string;
  description: string;
  weight: number;
  order: "parallel" | "sequence";
  queue: string;
  reads: Array<string>;
  sources: Record<string, string>;
  gate: string;
  writes: Array<string>;
  tasks: Array<TreeTaskView>;
}

/** An instance with all its tasks. */
export interface TreeView {
  id: string;
  app: string;
  generator: string;
  realm: string;
  name: string;
  labels: Record<string, string>;
  ephemeral: boolean;
  status: "idle" | "working" | "done" | "failed" | "cancelled";
  progress: number;
  created: string;
  updated: string;
  cut?: boolean;
  revision: number;
  execution: string;
  path: string;
  error: ErrorView | null;
  because: string;
  data: unknown;
  json_schema: Record<string, unknown> | null;
  tasks: Array<TreeTaskView>;
  states: Record<string, TaskStateView>;
}

export interface TreesAppsParams {
}

export interface TreesCancelParams {
  /** Of the instance. */
  id: string;
  /** Why; its record has it. */
  reason?: string;
  /** Its app; it is looked for where this is left out. */
  app?: string;
}

export interface TreesDestroyParams {
  /** Of the instance. */
  id: string;
  /** Its app; it is looked for where this is left out. */
  app?: string;
}

export interface TreesExecuteParams {
  /** Of the instance. */
  id: string;
  /** The task: `#.images.small`; `#` for all. */
  path?: string;
  /** What its view has as its `argument`: plain JSON. */
  argument?: unknown;
  /** Whether what it depends on and is not ready is an `error`, or is `run` too. */
  missing?: "error" | "run";
  /** Execute all below it as well. */
  subtree?: boolean;
  /** Execute all as well that uses its result. */
  downstream?: boolean;
  /** What is asked for twice with the same text begins once. */
  ref?: string | null;
  /** Its app; it is looked for where this is left out. */
  app?: string;
}

export interface TreesExecutionsParams {
  /** Of the instance. */
  id: string;
  /** So many at most. */
  limit?: number;
  /** Its app; it is looked for where this is left out. */
  app?: string;
}

export interface TreesListParams {
  /** Only of this app. */
  app?: string;
  /** Only of this realm. */
  realm?: string | null;
  /** Only those that this generator has made. */
  generator?: string | null;
  /** Only with this one: `idle`, `working`, `done`, `failed` or `cancelled`. */
  status?: "idle" | "working" | "done" | "failed" | "cancelled" | null;
  /** Only of this name; with `*` at its end, of one that begins so. */
  name?: string | null;
  /** Only with these: a JSON object of texts. */
  labels?: Record<string, string> | null;
  /** Only those that were created then or later: an instant with a time zone, `2026-11-28T09:00:00Z`. */
  since?: string | null;
  /** Only those that were created before. */
  until?: string | null;
  /** Where to go on: what the page before had. */
  cursor?: string;
  /** So many at most. */
  limit?: number;
}

export interface TreesLogParams {
  /** Of the instance. */
  id: string;
  /** Of the task: `#.images.small`. */
  path: string;
  /** Only lines with a higher number. */
  after?: number;
  /** So many at most, the last ones. */
  limit?: number;
  /** Its app; it is looked for where this is left out. */
  app?: string;
  /** Whether long texts and values are shown in full. */
  whole?: boolean;
}

export interface TreesResultParams {
  /** Of the instance. */
  id: string;
  /** Of the task: `#.images.small`. */
  path: string;
  /** Its app; it is looked for where this is left out. */
  app?: string;
  /** Whether long texts and values are shown in full. */
  whole?: boolean;
}

export interface TreesShowParams {
  /** Of the instance. */
  id: string;
  /** Its app; it is looked for where this is left out. */
  app?: string;
  /** Whether long texts and values are shown in full. */
  whole?: boolean;
}

export interface TreesUpdateParams {
  /** Of the instance. */
  id: string;
  /** All of it, plain JSON; what read what has changed is stale then. */
  data?: unknown;
  /** What to call it. */
  name?: string | null;
  /** Texts by which it is found, a JSON object; those that it had are gone. */
  labels?: Record<string, string> | null;
  /** Its app; it is looked for where this is left out. */
  app?: string;
}

export interface TreesWaitParams {
  /** Of the instance. */
  id: string;
  /** For how long, an hour at most. */
  timeout?: number | string;
  /** Its app; it is looked for where this is left out. */
  app?: string;
}

/** One stay of a job in a queue. */
export interface VisitView {
  queue: string;
  waited: number;
  ran: number | null;
  children: number | null;
}

/** A process with workers. */
export interface WorkerView {
  name: string;
  flow: string;
  alive: boolean;
  state: "works" | "leaving" | "blocked" | "silent" | "died";
  back: string | null;
  blocked: BlockedView | null;
  heard: string;
  host: string;
  pid: number | null;
  flows_version: string;
  python_version: string;
  digest: string;
  started: string | null;
  rss: number | null;
  lag: number | null;
  lags: Array<number>;
  lease: number | null;
  queues: Array<ServedView>;
  running: Array<RunningView>;
}

export interface WorkersDumpParams {
  /** Its name, as `workers.list` shows it. */
  process: string;
  /** For how long its answer is waited for, five minutes at most. */
  timeout?: number | string;
  /** One of its flows; it is looked for where this is left out. */
  flow?: string | null;
}

export interface WorkersListParams {
  /** Only those of this flow. */
  flow?: string | null;
  /** Only those that serve this queue. */
  queue?: string | null;
  /** Those too that were killed within the last hour; one that stops in order is listed no more. */
  dead?: boolean;
}

export interface WorkersReleasesParams {
  /** Its name. */
  flow: string;
  /** The digest of a release; left out, the one whose processes are the youngest. */
  new?: string | null;
  /** With which one it is compared; left out, the one before it, those with live processes first. */
  old?: string | null;
}

/** What the runs of a workflow do now. */
export interface WorkflowView {
  workflow: string;
  apps: Array<string>;
  live: boolean;
  seen: string | null;
  waiting: number;
  processing: number;
  delayed: number;
  failed: number;
  cancelled: number;
  counts: Record<string, number>;
  by_queue: Record<string, number>;
  input_schema: Record<string, unknown> | null;
}

export interface Operations {
  /** List what operators have done, newest first: each action stands there as asked, and with what came of it. */
  "audit.list": {
    method: "GET";
    role: "operator";
    params: AuditListParams;
    answer: ActionsPage;
  };
  /** Begin to retry, cancel, delete or move the jobs that a query matches and that are there by now. */
  "bulk.apply": {
    method: "POST";
    role: "operator";
    params: BulkApplyParams;
    answer: BulkStarted;
  };
  /** Undo an action on many jobs: in its undo window none was touched yet; later, the rest is left as it is. */
  "bulk.cancel": {
    method: "POST";
    role: "operator";
    params: BulkCancelParams;
    answer: Acted;
  };
  /** Show on how many jobs an action would act, of which queues, and the first ten of them. */
  "bulk.preview": {
    method: "GET";
    role: "viewer";
    params: BulkPreviewParams;
    answer: BulkPreview;
  };
  /** Show how far an action on many jobs is, or how it has ended. */
  "bulk.show": {
    method: "GET";
    role: "viewer";
    params: BulkShowParams;
    answer: BulkView;
  };
  /** Wait until an action on many jobs has ended; this process does it where no other one does. */
  "bulk.wait": {
    method: "GET";
    role: "operator";
    params: BulkWaitParams;
    answer: BulkView;
  };
  /** List the flows there are, whether or not a process of them runs. */
  "flows.list": {
    method: "GET";
    role: "viewer";
    params: FlowsListParams;
    answer: Array<FlowRow>;
  };
  /** Show what all flows hold, and how many runs, trees, schedules, processes and limits there are. */
  "flows.overview": {
    method: "GET";
    role: "viewer";
    params: FlowsOverviewParams;
    answer: Overview;
  };
  /** Show what a flow declares: its queues, classes, times, and the releases that were seen. */
  "flows.show": {
    method: "GET";
    role: "viewer";
    params: FlowsShowParams;
    answer: FlowView;
  };
  /** Cancel a job and its children; its worker is asked to stop where one has it. */
  "jobs.cancel": {
    method: "POST";
    role: "operator";
    params: JobsCancelParams;
    answer: Acted;
  };
  /** List the children of a job, in the order of their creation, a page at a time. */
  "jobs.children": {
    method: "GET";
    role: "viewer";
    params: JobsChildrenParams;
    answer: ChildrenPage;
  };
  /** Count the jobs of a query by state, whatever `state:` it asks for; of each, at most 1,000 are looked at. */
  "jobs.count": {
    method: "GET";
    role: "viewer";
    params: JobsCountParams;
    answer: JobCounts;
  };
  /** Create a job, which then waits in the flow's first queue or is delayed. */
  "jobs.create": {
    method: "POST";
    role: "operator";
    params: JobsCreateParams;
    answer: Created;
  };
  /** Delete a job, its place in its queue, its lookup entries and its children. */
  "jobs.delete": {
    method: "POST";
    role: "operator";
    params: JobsDeleteParams;
    answer: Acted;
  };
  /** List what has ended, newest first, from the flow's log: also jobs that are kept no more. */
  "jobs.ended": {
    method: "GET";
    role: "viewer";
    params: JobsEndedParams;
    answer: EndedPage;
  };
  /** Count what has ended on each of some days, from the flow's log. */
  "jobs.ended_by_day": {
    method: "GET";
    role: "viewer";
    params: JobsEndedByDayParams;
    answer: Array<EndedDayView>;
  };
  /** Say why a job is where it is, and what makes it go on. */
  "jobs.explain": {
    method: "GET";
    role: "viewer";
    params: JobsExplainParams;
    answer: ExplanationView;
  };
  /** Find jobs by a query: `flow:access user_id:62 state:failed error:Timeout since:1h`. */
  "jobs.find": {
    method: "GET";
    role: "viewer";
    params: JobsFindParams;
    answer: JobPage;
  };
  /** Show what became of a job's attempts: the last 20, from the first one that did not simply succeed. */
  "jobs.history": {
    method: "GET";
    role: "viewer";
    params: JobsHistoryParams;
    answer: Array<AttemptView>;
  };
  /** Show what the functions of a job have logged: the last 1,000 lines are kept. */
  "jobs.log": {
    method: "GET";
    role: "viewer";
    params: JobsLogParams;
    answer: LogView;
  };
  /** Move a job that no worker has to another queue of its flow, where it waits as if it had just come there. */
  "jobs.move": {
    method: "POST";
    role: "operator";
    params: JobsMoveParams;
    answer: Acted;
  };
  /** Say how many are ahead of a job that waits or is delayed. */
  "jobs.position": {
    method: "GET";
    role: "viewer";
    params: JobsPositionParams;
    answer: PositionView;
  };
  /** Let a delayed job start now: one that was created for later, or waits for its next attempt. */
  "jobs.promote": {
    method: "POST";
    role: "operator";
    params: JobsPromoteParams;
    answer: Acted;
  };
  /** Retry a job that has failed or was cancelled, in the queue where it ended. */
  "jobs.retry": {
    method: "POST";
    role: "operator";
    params: JobsRetryParams;
    answer: Acted;
  };
  /** Give a job that waits or is delayed another priority: it waits behind those that have it already. */
  "jobs.set_priority": {
    method: "POST";
    role: "operator";
    params: JobsSetPriorityParams;
    answer: Acted;
  };
  /** Show a job: where it is, its fields, its way through the queues, its attempts and its error. */
  "jobs.show": {
    method: "GET";
    role: "viewer";
    params: JobsShowParams;
    answer: JobView;
  };
  /** Wait until a job has ended, and show it. */
  "jobs.wait": {
    method: "GET";
    role: "viewer";
    params: JobsWaitParams;
    answer: JobView;
  };
  /** Wait until nothing waits in a queue, runs or awaits children; delayed jobs come later and do not count. */
  "queues.drain": {
    method: "POST";
    role: "operator";
    params: QueuesDrainParams;
    answer: Acted;
  };
  /** List the groups of a queue that have jobs or a share of their own, in no order that stays. */
  "queues.groups": {
    method: "GET";
    role: "viewer";
    params: QueuesGroupsParams;
    answer: GroupsPage;
  };
  /** Let nothing of a queue, or of one group of it, start for a time; what runs goes on. */
  "queues.hold": {
    method: "POST";
    role: "operator";
    params: QueuesHoldParams;
    answer: Acted;
  };
  /** Show the first jobs of each queue of a flow: three that run, two that are next, and three that ended last. */
  "queues.lanes": {
    method: "GET";
    role: "viewer";
    params: QueuesLanesParams;
    answer: LanesView;
  };
  /** Show what each limiter of a queue has given out, and its slots. */
  "queues.limits": {
    method: "GET";
    role: "viewer";
    params: QueuesLimitsParams;
    answer: LimitsView;
  };
  /** Let no job of a queue start until it is resumed, or until a time; jobs in flight go on. */
  "queues.pause": {
    method: "POST";
    role: "operator";
    params: QueuesPauseParams;
    answer: Acted;
  };
  /** Let a paused queue go on at once. */
  "queues.resume": {
    method: "POST";
    role: "operator";
    params: QueuesResumeParams;
    answer: Acted;
  };
  /** Set how many jobs of a queue may run at a time, while workers run; jobs that run go on. */
  "queues.set_concurrency": {
    method: "POST";
    role: "operator";
    params: QueuesSetConcurrencyParams;
    answer: LimitsView;
  };
  /** Set a limiter of a queue while workers run, from the next claim on; it holds until it is set anew. */
  "queues.set_limit": {
    method: "POST";
    role: "operator";
    params: QueuesSetLimitParams;
    answer: LimitsView;
  };
  /** Set the share of a group of a queue: one of 2 gets twice as many turns as one of 1, the default. */
  "queues.set_share": {
    method: "POST";
    role: "operator";
    params: QueuesSetShareParams;
    answer: Acted;
  };
  /** Show what queues hold now, who serves them, how long jobs wait, and their limits. */
  "queues.show": {
    method: "GET";
    role: "viewer";
    params: QueuesShowParams;
    answer: Queues;
  };
  /** Cancel a run, and the runs that it waits for. */
  "runs.cancel": {
    method: "POST";
    role: "operator";
    params: RunsCancelParams;
    answer: Acted;
  };
  /** List the runs that a step has started, in their order: what has become of each. */
  "runs.children": {
    method: "GET";
    role: "viewer";
    params: RunsChildrenParams;
    answer: StepChildrenView;
  };
  /** Say why a run is where it is; of a suspended one, what it waits for. */
  "runs.explain": {
    method: "GET";
    role: "viewer";
    params: RunsExplainParams;
    answer: ExplanationView;
  };
  /** Start a new run that has what another one had done before a step, and goes on from there. */
  "runs.fork": {
    method: "POST";
    role: "operator";
    params: RunsForkParams;
    answer: RunStarted;
  };
  /** List runs of all apps, newest first. */
  "runs.list": {
    method: "GET";
    role: "viewer";
    params: RunsListParams;
    answer: RunPageView;
  };
  /** Let runs that stay with a version of their workflow's code go on with another one. */
  "runs.move": {
    method: "POST";
    role: "operator";
    params: RunsMoveParams;
    answer: Acted;
  };
  /** Answer a step of a run that waits for a person's answer; the step judges whether it fits. */
  "runs.provide": {
    method: "POST";
    role: "operator";
    params: RunsProvideParams;
    answer: Acted;
  };
  /** Let a run that has failed or was cancelled go on: steps that are done stay, those that failed run again. */
  "runs.retry": {
    method: "POST";
    role: "operator";
    params: RunsRetryParams;
    answer: Acted;
  };
  /** Send the event for which a step of a run waits: all runs go on that wait for it by the same key. */
  "runs.send": {
    method: "POST";
    role: "operator";
    params: RunsSendParams;
    answer: Acted;
  };
  /** Show a run: its status, input, output, error and steps. */
  "runs.show": {
    method: "GET";
    role: "viewer";
    params: RunsShowParams;
    answer: RunView;
  };
  /** Start a run of a workflow, by its name; its input is validated by the worker that takes it. */
  "runs.start": {
    method: "POST";
    role: "operator";
    params: RunsStartParams;
    answer: RunStarted;
  };
  /** List steps of a run, in the order of `runs.show`. */
  "runs.steps": {
    method: "GET";
    role: "viewer";
    params: RunsStepsParams;
    answer: StepsView;
  };
  /** Wait until a run has ended, and show it. */
  "runs.wait": {
    method: "GET";
    role: "viewer";
    params: RunsWaitParams;
    answer: RunView;
  };
  /** List the workflows of all apps, and what their runs do now: those that were dropped included. */
  "runs.workflows": {
    method: "GET";
    role: "viewer";
    params: RunsWorkflowsParams;
    answer: Array<WorkflowView>;
  };
  /** Start the runs of past slots that have not run. */
  "schedules.backfill": {
    method: "POST";
    role: "operator";
    params: SchedulesBackfillParams;
    answer: Backfilled;
  };
  /** Make a schedule while workers run; it stays until it is deleted. */
  "schedules.create": {
    method: "POST";
    role: "operator";
    params: SchedulesCreateParams;
    answer: Acted;
  };
  /** List when the schedules come within a day: each slot, or where they are dense, from when until when they are. */
  "schedules.day": {
    method: "GET";
    role: "viewer";
    params: SchedulesDayParams;
    answer: Array<DayView>;
  };
  /** Delete a schedule that was created while workers run; its runs stay. */
  "schedules.delete": {
    method: "POST";
    role: "operator";
    params: SchedulesDeleteParams;
    answer: Acted;
  };
  /** Give a schedule that was created while workers run other times, policies and input: all of them anew. */
  "schedules.edit": {
    method: "POST";
    role: "operator";
    params: SchedulesEditParams;
    answer: Acted;
  };
  /** List all schedules, that with the next slot first. */
  "schedules.list": {
    method: "GET";
    role: "viewer";
    params: SchedulesListParams;
    answer: Array<ScheduleView>;
  };
  /** Let the slots of a schedule pass, until it is resumed. */
  "schedules.pause": {
    method: "POST";
    role: "operator";
    params: SchedulesPauseParams;
    answer: Acted;
  };
  /** Let a paused schedule go on with its next slot. */
  "schedules.resume": {
    method: "POST";
    role: "operator";
    params: SchedulesResumeParams;
    answer: Acted;
  };
  /** List the slots of a schedule between two times, with the runs that they have: what `schedules.backfill` would do. */
  "schedules.slots": {
    method: "GET";
    role: "viewer";
    params: SchedulesSlotsParams;
    answer: SlotsView;
  };
  /** Start a run of a schedule now; its slots stay as they are. */
  "schedules.trigger": {
    method: "POST";
    role: "operator";
    params: SchedulesTriggerParams;
    answer: RunStarted;
  };
  /** Find what is wrong: with the server, with queues that nobody serves, with jobs that were left behind. */
  "server.check": {
    method: "GET";
    role: "viewer";
    params: ServerCheckParams;
    answer: CheckView;
  };
  /** Tell which share of the memory flows has, by a sample of 300 keys: it costs the same however many there are. */
  "server.memory": {
    method: "GET";
    role: "viewer";
    params: ServerMemoryParams;
    answer: MemoryView;
  };
  /** Repair what no transition leaves behind: edited data, a half-restored backup, a clock that was set back. */
  "server.repair": {
    method: "POST";
    role: "operator";
    params: ServerRepairParams;
    answer: RepairView;
  };
  /** Show the server: its version, memory, policy, and how far away it is. */
  "server.show": {
    method: "GET";
    role: "viewer";
    params: ServerShowParams;
    answer: ServerView;
  };
  /** List what the server has found slow lately: scripts of flows by name, of other commands the first word alone. */
  "server.slow": {
    method: "GET";
    role: "viewer";
    params: ServerSlowParams;
    answer: SlowView;
  };
  /** Show the history of a flow: how many jobs came and ended in each step, how long they waited, what was deployed. */
  "stats.flow": {
    method: "GET";
    role: "viewer";
    params: StatsFlowParams;
    answer: FlowHistory;
  };
  /** Show how long the jobs of a queue waited and ran lately, as percentiles. */
  "stats.latency": {
    method: "GET";
    role: "viewer";
    params: StatsLatencyParams;
    answer: LatencyView;
  };
  /** Show the history of a queue: the last 120 minutes, 144 times ten minutes, or 168 hours. */
  "stats.series": {
    method: "GET";
    role: "viewer";
    params: StatsSeriesParams;
    answer: SeriesView;
  };
  /** List the apps of task trees, with the generators whose code is here or that have made the last instances. */
  "trees.apps": {
    method: "GET";
    role: "viewer";
    params: TreesAppsParams;
    answer: Array<TreeAppView>;
  };
  /** Cancel the execution of an instance. */
  "trees.cancel": {
    method: "POST";
    role: "operator";
    params: TreesCancelParams;
    answer: Acted;
  };
  /** Cancel what is under way of an instance, and delete it with all that it has. */
  "trees.destroy": {
    method: "POST";
    role: "operator";
    params: TreesDestroyParams;
    answer: Acted;
  };
  /** Execute a task of an instance, a group with all that is below it, or all of it. */
  "trees.execute": {
    method: "POST";
    role: "operator";
    params: TreesExecuteParams;
    answer: TreeStarted;
  };
  /** Show the last executions of an instance, newest first: those among the last 500 of its app. */
  "trees.executions": {
    method: "GET";
    role: "viewer";
    params: TreesExecutionsParams;
    answer: TreeExecutionsView;
  };
  /** List instances of task trees, newest first. */
  "trees.list": {
    method: "GET";
    role: "viewer";
    params: TreesListParams;
    answer: TreePageView;
  };
  /** Show what a task has logged: the last 1,000 lines are kept. */
  "trees.log": {
    method: "GET";
    role: "viewer";
    params: TreesLogParams;
    answer: LogView;
  };
  /** Show the result of a task; of a group, those of what is directly below it, by name. */
  "trees.result": {
    method: "GET";
    role: "viewer";
    params: TreesResultParams;
    answer: TreeResultView;
  };
  /** Show an instance: its data, its tree, and how each task stands. */
  "trees.show": {
    method: "GET";
    role: "viewer";
    params: TreesShowParams;
    answer: TreeView;
  };
  /** Give an instance another name, other labels, or other data, where the code of its app is in this process. */
  "trees.update": {
    method: "POST";
    role: "operator";
    params: TreesUpdateParams;
    answer: Acted;
  };
  /** Wait until no execution of an instance is under way, and show it. */
  "trees.wait": {
    method: "GET";
    role: "viewer";
    params: TreesWaitParams;
    answer: TreeView;
  };
  /** Show where the tasks and threads of a live process are: files, lines and functions, without any value. */
  "workers.dump": {
    method: "POST";
    role: "operator";
    params: WorkersDumpParams;
    answer: DumpView;
  };
  /** List the processes that have workers, and what each does. */
  "workers.list": {
    method: "GET";
    role: "viewer";
    params: WorkersListParams;
    answer: Array<WorkerView>;
  };
  /** Compare two releases of a flow: what their live processes do, and what they declare otherwise. */
  "workers.releases": {
    method: "GET";
    role: "viewer";
    params: WorkersReleasesParams;
    answer: ReleasesView;
  };
}
