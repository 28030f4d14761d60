/** Processes, slots, lag, memory and deaths in five figures. */
import { useMemo, type ReactNode } from "react";
import { bytes, count, duration, msOf, percent, timeShort, useNow } from "../../format";
import { Sparkline } from "../../parts/Sparkline";
import type { Tone } from "../../parts/shapes";
import * as text from "../../text";
import { busyOf, distinct, lagLine, percentile, processesOf, slotsOf, type Worker } from "./order";
import { ring } from "./ring";

const BLOCKED_MS = 5_000;
const STEP_MS = 2_000;

/** What the figures tell: of a thousand processes it is summed up when one was heard of, not each second. */
function summed(all: readonly Worker[], at: number) {
  const live = all.filter((one) => one.alive);
  const processes = processesOf(live);
  const dead = processesOf(all.filter((one) => !one.alive));
  const releases = distinct(live.map((one) => one.digest));
  const newest = live.reduce<Worker | null>((found, one) => (age(one) > age(found) ? one : found), null)?.digest;
  const line = lagLine(live);
  return {
    live: processes.length,
    hosts: distinct(live.map((one) => one.host)).length,
    young: releases.length > 1 ? live.filter((one) => one.digest === newest).length : null,
    slots: sum(live.map(slotsOf)),
    busy: sum(live.map(busyOf)),
    memory: sum(processes.map((one) => one.rss ?? 0)),
    largest: Math.max(0, ...live.map((one) => one.rss ?? 0)),
    lag:
      percentile(
        live.flatMap((one) => one.lags),
        95,
      ) ?? 0,
    worst: Math.max(0, ...live.map((one) => one.lag ?? 0), ...live.map((one) => (one.blocked?.seconds ?? 0) * 1000)),
    line,
    died: dead.length,
    lastDeath: Math.max(0, ...dead.map((one) => msOf(one.heard))),
    deaths: deaths(dead, at),
  };
}

interface Props {
  all: readonly Worker[];
  /** The flow that all are of; null: several, whose releases say nothing of each other. */
  flow: string | null;
  at: number;
}

export function Figures({ all, flow, at }: Props) {
  const of = useMemo(() => summed(all, at), [all, at]);
  const [lag, lagUnit] = split(duration(of.lag));
  const [size, sizeUnit] = split(bytes(of.memory));
  const step = Math.floor(useNow() / STEP_MS);
  const since = (what: string, value: number) => ({
    label: text.workers.sinceYouLook(what),
    values: ring(`${flow} ${what}`, value, step),
  });
  return (
    <div className="figs five">
      <Figure
        name={text.workers.processes}
        more={flow !== null && of.young !== null && text.workers.oldNew(of.live - of.young, of.young)}
        value={count(of.live)}
        unit={text.workers.onHosts(of.hosts)}
        tone="processing"
        line={since(text.workers.processes, of.live)}
      />
      <Figure
        name={text.workers.slotsBusy}
        more={of.slots > 0 && percent(of.busy / of.slots)}
        value={count(of.busy)}
        unit={text.workers.ofSlots(count(of.slots))}
        tone="processing"
        line={since(text.workers.slotsBusy, of.busy)}
      />
      <Figure
        name={text.workers.loopLag}
        more={of.worst > BLOCKED_MS && <span className="down">{text.workers.oneAt(duration(of.worst))}</span>}
        value={lag}
        unit={text.workers.lagUnit(lagUnit)}
        tone={of.worst > BLOCKED_MS ? "failed" : "processing"}
        line={{ label: text.workers.loopLag, values: of.line }}
      />
      <Figure
        name={text.workers.memory}
        more={of.largest > 0 && text.workers.largest(bytes(of.largest))}
        value={size}
        unit={text.workers.inAll(sizeUnit)}
        tone="processing"
        line={since(text.workers.memory, of.memory)}
      />
      <Figure
        name={text.workers.died}
        more={of.died > 0 && <span className="warn">{text.workers.lastAt(timeShort(of.lastDeath))}</span>}
        value={count(of.died)}
        unit={text.workers.lastHour}
        tone={of.died ? "warn" : "processing"}
        line={{ label: text.workers.died, values: of.deaths }}
      />
    </div>
  );
}

interface FigureProps {
  name: string;
  more: ReactNode;
  value: string;
  unit: string;
  tone: Tone;
  line: { label: string; values: readonly number[] };
}

function Figure({ name, more, value, unit, tone, line }: FigureProps) {
  return (
    <section className="card fig" aria-label={name}>
      <div className="k">
        <span>{name}</span>
        <span className="dim">{more}</span>
      </div>
      <div className="v">
        {value} <small>{unit}</small>
      </div>
      <Sparkline values={line.values} tone={tone} label={line.label} />
    </section>
  );
}

const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
const age = (one: Worker | null) => (one?.started == null ? 0 : msOf(one.started));

/** "4.8 GB" → ["4.8", "GB"] */
function split(value: string): [string, string] {
  const at = value.indexOf(" ");
  return at < 0 ? [value, ""] : [value.slice(0, at), value.slice(at + 1)];
}

/** How many died in each two minutes of the last hour. */
function deaths(dead: readonly Worker[], at: number): number[] {
  const counts = new Array<number>(30).fill(0);
  for (const one of dead) {
    const i = 29 - Math.floor((at - msOf(one.heard)) / 120_000);
    if (counts[i] !== undefined) counts[i]++;
  }
  return counts;
}
