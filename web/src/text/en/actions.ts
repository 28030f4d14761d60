/** What operators have done, each as a sentence that follows their name: "ana raised the limit of role from 50 to 100". */
import { writeJson } from "../../exact";
import { count, seconds } from "../../format";

/** A piece of a sentence: words, or a value that somebody has given. */
export type Piece = string | { value: string };
type Given = Readonly<Record<string, unknown>>;
interface Change {
  name: string;
  was: number;
  now: number;
  interval_was?: number | null;
  interval?: number | null;
}
interface Action {
  operation: string;
  flow: string;
  given: Given;
  changed: readonly Change[];
  count?: number | null;
}

const LONGEST = 200;
const shown = (value: unknown) => {
  const text = typeof value === "string" ? value : writeJson(value);
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
};

/** Words with values between them; what is null or empty is left out together with nothing else. */
function say(words: TemplateStringsArray, ...values: unknown[]): Piece[] {
  return words.flatMap((word, i): Piece[] => {
    const value = values[i];
    const rest: Piece[] = word ? [word] : [];
    if (i >= values.length || value === undefined || value === null || value === "") return rest;
    return Array.isArray(value) ? [...rest, ...(value as Piece[])] : [...rest, { value: shown(value) }];
  });
}

/** A time as the log has it: seconds, or as ISO 8601 writes it. */
function lasting(value: unknown): string {
  if (typeof value === "number") return seconds(value);
  const found = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:([\d.]+)S)?)?$/.exec(String(value));
  if (!found) return shown(value);
  const [days, hours, minutes, rest] = found.slice(1).map((part) => Number(part ?? 0)) as [
    number,
    number,
    number,
    number,
  ];
  return seconds(((days * 24 + hours) * 60 + minutes) * 60 + rest);
}

const each = (interval: number | null | undefined) =>
  interval == null ? "" : interval === 1 ? " a second" : interval === 60 ? " a minute" : ` each ${seconds(interval)}`;
const because = (note: unknown): Piece[] => (note ? say`: ${note}` : []);
const ofGroup = (group: unknown): Piece[] => (group ? say` for the group ${group}` : []);
const more = (was: number, now: number) => (now > was ? "raised" : now < was ? "lowered" : "changed");

function limit({ given, changed, flow }: Action): Piece[] {
  const queue = given.queue ?? flow;
  const change = changed[0];
  const group = ofGroup(given.group);
  if (!change)
    return given.reservoir === undefined
      ? say`set the limit ${given.limiter} of ${queue} back to what is declared${group}`
      : say`set the limit ${given.limiter} of ${queue} to ${given.reservoir}${group}`;
  const was = `${count(change.was)}${change.interval_was === change.interval ? "" : each(change.interval_was)}`;
  const now = `${count(change.now)}${each(change.interval)}`;
  return [
    ...say`${[more(change.was / (change.interval_was ?? 1), change.now / (change.interval ?? 1))]} the limit of `,
    ...say`${queue} from ${was} to ${now}${group}`,
  ];
}

function slots({ given, changed, flow }: Action): Piece[] {
  const queue = given.queue ?? flow;
  const change = changed[0];
  if (change)
    return [
      ...say`${[more(change.was, change.now)]} how many jobs of ${queue} run at once `,
      ...say`from ${count(change.was)} to ${count(change.now)}${ofGroup(given.group)}`,
    ];
  return given.most === undefined && given.per_group === undefined
    ? say`let as many jobs of ${given.queue} run at once as are declared`
    : say`set how many jobs of ${queue} run at once to ${given.most ?? given.per_group}${ofGroup(given.group)}`;
}

const many: Record<string, string> = { retry: "retried", cancel: "cancelled", delete: "deleted", move: "moved" };

const sentences: Record<string, (action: Action) => Piece[]> = {
  "queues.set_limit": limit,
  "queues.set_concurrency": slots,
  "queues.set_share": ({ given }) => say`set the share of the group ${given.group} of ${given.queue} to ${given.share}`,
  "queues.hold": ({ given }) => say`held ${given.queue}${ofGroup(given.group)} for ${lasting(given.lasting)}`,
  "queues.pause": ({ given }) =>
    say`paused ${given.queue}${given.lasting ? say` for ${lasting(given.lasting)}` : []}${given.until ? say` until ${given.until}` : []}${because(given.note)}`,
  "queues.resume": ({ given }) => say`let ${given.queue} go on`,
  "queues.drain": ({ given }) => say`waited until ${given.queue} was empty`,
  "jobs.create": ({ flow }) => say`created a job of ${flow}`,
  "jobs.retry": ({ flow }) => say`retried a job of ${flow}`,
  "jobs.cancel": ({ flow, given }) => say`cancelled a job of ${flow}${because(given.reason)}`,
  "jobs.delete": ({ flow }) => say`deleted a job of ${flow}`,
  "jobs.move": ({ flow, given }) => say`moved a job of ${flow} to ${given.to}`,
  "jobs.promote": ({ flow }) => say`let a delayed job of ${flow} start at once`,
  "jobs.set_priority": ({ flow, given }) => say`gave a job of ${flow} the priority ${given.priority}`,
  "bulk.apply": ({ given, count: n }) =>
    say`${[many[String(given.verb)] ?? String(given.verb)]} ${count(n ?? Number(given.seen ?? 0))} jobs that match ${given.query}${because(given.reason)}`,
  "bulk.cancel": () => say`undid an action on many jobs`,
  "bulk.wait": () => say`waited for an action on many jobs`,
  "runs.start": ({ given }) => say`started a run of ${given.workflow}`,
  "runs.cancel": () => say`cancelled a run`,
  "runs.retry": () => say`retried a run`,
  "runs.fork": ({ given }) => say`began a new run from a step of another one${given.step ? say`: ${given.step}` : []}`,
  "runs.provide": ({ given }) => say`answered the step ${given.step} of a run`,
  "runs.send": ({ given }) => say`sent a run the event that its step ${given.step} waits for`,
  "runs.move": ({ given }) => say`moved runs of ${given.workflow} to the version ${given.to}`,
  "trees.execute": ({ given }) =>
    given.path && given.path !== "#" ? say`executed ${given.path} of a tree` : say`executed a tree`,
  "trees.cancel": ({ given }) => say`cancelled the execution of a tree${because(given.reason)}`,
  "trees.update": ({ given }) => say`changed the name or the labels of a tree${given.name ? say`: ${given.name}` : []}`,
  "trees.destroy": () => say`destroyed a tree`,
  "schedules.create": ({ given }) => say`created the schedule ${given.id} of ${given.workflow}`,
  "schedules.edit": ({ given }) => say`changed the schedule ${given.id}`,
  "schedules.delete": ({ given }) => say`deleted the schedule ${given.id}`,
  "schedules.pause": ({ given }) => say`paused the schedule ${given.id}`,
  "schedules.resume": ({ given }) => say`let the schedule ${given.id} go on`,
  "schedules.trigger": ({ given }) => say`triggered the schedule ${given.id}`,
  "schedules.backfill": ({ given }) => say`back-filled the schedule ${given.id} from ${given.start} to ${given.end}`,
  "server.repair": ({ flow }) => say`looked for what is to be repaired${flow ? say` in ${flow}` : []}`,
  "workers.dump": ({ given }) => say`took the stacks of the process ${given.process}`,
};

/** What somebody has done; an operation that has no sentence yet is named. */
export const actionSentence = (action: Action): Piece[] =>
  sentences[action.operation]?.(action) ?? say`asked for ${action.operation}`;
