/** Processes, slots, lag, memory and deaths in five figures. */
import type { ReactNode } from "react";
import { bytes, count, duration, msOf, percent, timeShort, useNow } from "../../format";
import { Sparkline } from "../../parts/Sparkline";
import type { Tone } from "../../parts/shapes";
import { text } from "../../text";
import { busyOf, distinct, lagLine, percentile, slotsOf, type Worker } from "./order";
import { ring } from "./ring";

const BLOCKED_MS = 5_000;
const STEP_MS = 2_000;

export function Figures({ all, scope, at }: { all: readonly Worker[]; scope: string; at: number }) {
  const live = all.filter((one) => one.alive);
  const dead = all.filter((one) => !one.alive);
  const slots = sum(live.map(slotsOf));
  const busy = sum(live.map(busyOf));
  const sizes = live.map((one) => one.rss ?? 0);
  const lags = live.flatMap((one) => one.lags);
  const worst = Math.max(
    0,
    ...live.map((one) => one.lag ?? 0),
    ...live.map((one) => (one.blocked?.seconds ?? 0) * 1000),
  );
  const [lag, lagUnit] = split(duration(percentile(lags, 95) ?? 0));
  const [size, sizeUnit] = split(bytes(sum(sizes)));
  const releases = distinct(live.map((one) => one.digest));
  const newest = live.reduce<Worker | null>((found, one) => (age(one) > age(found) ? one : found), null)?.digest;
  const young = live.filter((one) => one.digest === newest).length;
  const lastDeath = Math.max(0, ...dead.map((one) => msOf(one.heard)));
  const step = Math.floor(useNow() / STEP_MS);
  const since = (what: string, value: number) => ({
    label: text.workers.sinceYouLook(what),
    values: ring(`${scope} ${what}`, value, step),
  });
  return (
    <div className="figs five">
      <Figure
        name={text.workers.processes}
        more={releases.length > 1 && text.workers.oldNew(live.length - young, young)}
        value={count(live.length)}
        unit={text.workers.onHosts(distinct(live.map((one) => one.host)).length)}
        tone="processing"
        line={since(text.workers.processes, live.length)}
      />
      <Figure
        name={text.workers.slotsBusy}
        more={slots > 0 && percent(busy / slots)}
        value={count(busy)}
        unit={text.workers.ofSlots(count(slots))}
        tone="processing"
        line={since(text.workers.slotsBusy, busy)}
      />
      <Figure
        name={text.workers.loopLag}
        more={worst > BLOCKED_MS && <span className="down">{text.workers.oneAt(duration(worst))}</span>}
        value={lag}
        unit={text.workers.lagUnit(lagUnit)}
        tone={worst > BLOCKED_MS ? "failed" : "processing"}
        line={{ label: text.workers.loopLag, values: lagLine(live) }}
      />
      <Figure
        name={text.workers.memory}
        more={sizes.length > 0 && text.workers.largest(bytes(Math.max(...sizes)))}
        value={size}
        unit={text.workers.inAll(sizeUnit)}
        tone="processing"
        line={since(text.workers.memory, sum(sizes))}
      />
      <Figure
        name={text.workers.died}
        more={dead.length > 0 && <span className="warn">{text.workers.lastAt(timeShort(lastDeath))}</span>}
        value={count(dead.length)}
        unit={text.workers.lastHour}
        tone={dead.length ? "warn" : "processing"}
        line={{ label: text.workers.died, values: deaths(dead, at) }}
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
