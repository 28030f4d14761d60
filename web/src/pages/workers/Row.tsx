/** One process: a row, and below it, where it is chosen, all that it says of itself. */
import { memo } from "react";
import { bytes, duration, msOf, time, useNow } from "../../format";
import { Ago } from "../../parts/Ago";
import { Button } from "../../parts/Button";
import { Facts } from "../../parts/Facts";
import { Link } from "../../parts/Link";
import { Sparkline } from "../../parts/Sparkline";
import { State } from "../../parts/State";
import type { Shape, Tone } from "../../parts/shapes";
import { jobAt, setParams } from "../../route";
import * as text from "../../text";
import { useBlockedMs, whereOf } from "./Alarms";
import {
  busyOf,
  isLong,
  jobsOf,
  longRunners,
  ranFor,
  shortName,
  shortRelease,
  slotsOf,
  type Usual,
  type Worker,
  type WorkerState,
} from "./order";
import { Slots } from "./Slots";

const SHAPES: Record<WorkerState, Shape> = {
  works: "beating",
  blocked: "blocked",
  silent: "silent",
  leaving: "leaving",
  died: "failed",
};
const LOOKS: Record<WorkerState, string> = { blocked: "hot", silent: "hold", works: "", leaving: "", died: "" };
const QUEUES_SHOWN = 2;
const COLUMNS = 9;

interface Props {
  worker: Worker;
  open: boolean;
  /** Whether its flow is named. */
  flow: boolean;
  usual: Usual;
  off: string | null;
  onStacks: (worker: Worker) => void;
}

/** Its parts look at the clock each second by themselves; the row is drawn anew when its process was heard of. */
export const Row = memo(function Row({ worker, open, flow, usual, off, onStacks }: Props) {
  const name = shortName(worker);
  const still = worker.state === "blocked" || worker.state === "silent" || worker.state === "died";
  const loud = worker.state === "blocked";
  return (
    <>
      <tr className={LOOKS[worker.state]}>
        <td className="who">
          <button
            type="button"
            className="mono strong as-link"
            aria-expanded={open}
            onClick={() => setParams({ process: open ? null : worker.name })}
          >
            <bdi>{name}</bdi>
          </button>
          <Serves worker={worker} flow={flow} />
        </td>
        <td className="rel">
          <span className="chip mono" title={worker.digest}>
            {shortRelease(worker.digest) || "–"}
          </span>
        </td>
        <td className="st">
          <State shape={SHAPES[worker.state]} word={text.workers.states[worker.state]} />
        </td>
        <td className="sl">
          <Slots
            slots={slotsOf(worker)}
            busy={busyOf(worker)}
            long={still ? 0 : longRunners(worker, usual)}
            still={still}
          />
        </td>
        <td className="longest">
          <Longest worker={worker} usual={usual} />
        </td>
        <td className="num lags" data-l={text.workers.lag}>
          <Lags worker={worker} tone={loud ? "failed" : "processing"} />
          <span className={`lag ${loud ? "failed strong" : ""}`}>
            {loud ? <BlockedFor worker={worker} /> : lagOf(worker)}
          </span>
        </td>
        <td className="num mem" data-l={text.workers.memoryOf}>
          {worker.rss == null ? "–" : bytes(worker.rss)}
        </td>
        <td className={`num beats ${worker.state === "silent" ? "warn strong" : ""}`} data-l={text.workers.beat}>
          <Ago at={worker.heard} />
        </td>
        <td className="num act">
          <Button
            look="small"
            icon="code"
            label={text.workers.dumpOf(name)}
            off={worker.alive ? off : text.workers.gone}
            onPress={() => onStacks(worker)}
          >
            {loud ? text.workers.dump : text.workers.stacksOf}
          </Button>
        </td>
      </tr>
      {open && (
        <tr className="stackdump">
          <td colSpan={COLUMNS}>
            <Details worker={worker} usual={usual} />
          </td>
        </tr>
      )}
    </>
  );
});

function Serves({ worker, flow }: { worker: Worker; flow: boolean }) {
  const names = worker.queues.map((one) => one.queue);
  const rest = names.length - QUEUES_SHOWN;
  return (
    <div className="dim serves">
      {flow && <bdi>{worker.flow} · </bdi>}
      <bdi>{names.slice(0, QUEUES_SHOWN).join(", ")}</bdi>
      {rest > 0 && ` ${text.workers.more(rest)}`}
    </div>
  );
}

function Longest({ worker, usual }: { worker: Worker; usual: Usual }) {
  const now = useNow();
  const workers = text.workers;
  if (worker.state === "blocked") {
    const { fn, place } = whereOf(worker);
    if (fn)
      return (
        <span className="failed">
          <b className="mono">
            <bdi>{fn}</bdi>
          </b>{" "}
          {workers.forLong("")}
          <BlockedFor worker={worker} />
          <span className="dim place">
            <bdi>{place}</bdi>
          </span>
        </span>
      );
  }
  const jobs = jobsOf(worker);
  if (worker.state === "silent" || worker.state === "died") {
    if (!jobs || worker.back == null) return <span className="dim">{workers.noJob}</span>;
    const say = worker.state === "silent" || msOf(worker.back) > now ? workers.jobsBack : workers.jobsCameBack;
    return <span className="warn">{say(jobs, time(worker.back))}</span>;
  }
  const job = worker.running[0];
  if (!job) return <span className="dim">{workers.nothingRuns}</span>;
  return <Running job={job} worker={worker} usual={usual} />;
}

function Running({ job, worker, usual }: { job: Worker["running"][number]; worker: Worker; usual: Usual }) {
  const ms = ranFor(worker, job);
  const flow = job.queue.includes(":") ? job.queue : worker.flow;
  return (
    <Link to={jobAt(flow, job.id)} className={isLong(job.queue, ms, usual) ? "warn" : ""} title={job.id}>
      <b className="mono">
        <bdi>{job.queue}</bdi>
      </b>{" "}
      {text.workers.forLong(duration(ms))}
    </Link>
  );
}

function BlockedFor({ worker }: { worker: Worker }) {
  return <>{duration(useBlockedMs(worker))}</>;
}

const lagOf = (worker: Worker) =>
  worker.alive && worker.state !== "silent" && worker.lag != null ? duration(worker.lag) : "–";

function Lags({ worker, tone }: { worker: Worker; tone: Tone }) {
  if (worker.lags.length < 2) return null;
  const beat = Math.min(15, Math.max(0.5, (worker.lease ?? 30) / 4));
  const label = text.workers.lagLine(duration(worker.lags.length * beat * 1000));
  return (
    <span className="lagline">
      <Sparkline values={worker.lags} tone={tone} label={label} height={18} />
    </span>
  );
}

function Details({ worker, usual }: { worker: Worker; usual: Usual }) {
  const now = useNow();
  const { facts, serves, asked } = text.workers;
  return (
    <section className="details" aria-label={text.workers.details(shortName(worker))}>
      <Facts
        of={[
          [facts.name, <bdi className="mono">{worker.name}</bdi>],
          [facts.flow, <bdi>{worker.flow}</bdi>],
          worker.started == null ? null : [facts.started, <Ago at={worker.started} />],
          [facts.python, worker.python_version || "–"],
          [facts.flows, worker.flows_version || "–"],
          [facts.release, <span className="mono">{worker.digest}</span>],
        ]}
      />
      <Facts
        of={worker.queues.map((queue) => [
          queue.queue,
          <>
            {serves(queue.busy, queue.slots)}
            {queue.asked != null && (
              <span className="dim"> · {asked(duration(Math.max(0, now - msOf(queue.asked))))}</span>
            )}
          </>,
        ])}
      />
      {worker.running.length > 0 && (
        <ul className="runs-now" aria-label={facts.running}>
          {worker.running.map((job) => (
            <li key={job.id}>
              <Running job={job} worker={worker} usual={usual} /> <span className="mono dim">{job.id}</span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
