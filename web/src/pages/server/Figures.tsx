/** Memory, share, commands, round trip, connections and keys of the server. */
import type { Live, MemoryView, ServerView } from "@typed-flows/react";
import type { ReactNode } from "react";
import { bytes, compact, count, duration, percent, useNow } from "../../format";
import { Sparkline } from "../../parts/Sparkline";
import type { Tone } from "../../parts/shapes";
import * as text from "../../text";
import { ring } from "../workers/ring";

const STEP_MS = 2_000;
const NEARLY_FULL = 0.9;
const LATE_MS = 20;

export function Figures({ state, memory }: { state: Live<ServerView>; memory: MemoryView | null }) {
  const { figures } = text.server;
  const step = Math.floor(useNow() / STEP_MS);
  const full = state.memory_max > 0 && state.memory / state.memory_max > NEARLY_FULL;
  const [size, unit] = bytes(state.memory).split(" ");
  const ahead = Math.round(state.clock);
  return (
    <div className="figs">
      <Figure
        name={figures.memory}
        more={state.memory_max ? percent(state.memory / state.memory_max) : figures.peak(bytes(state.memory_peak))}
        value={size}
        unit={`${unit} ${state.memory_max ? figures.ofMax(bytes(state.memory_max)) : ""}`}
        tone={full ? "failed" : "processing"}
        step={step}
        number={state.memory}
      />
      <Figure
        name={figures.share}
        value={memory?.share == null ? "–" : percent(memory.share)}
        unit={figures.shareOf}
        tone="children"
        part={memory?.share ?? 0}
      />
      <Figure
        name={figures.commands}
        value={compact(state.commands)}
        unit={figures.aSecond}
        tone="processing"
        step={step}
        number={state.commands}
      />
      <Figure
        name={figures.latency}
        more={Math.abs(ahead) >= 1000 && <span className="warn">{figures.clock(duration(ahead))}</span>}
        value={duration(state.latency).split(" ")[0]}
        unit={duration(state.latency).split(" ")[1]}
        tone={state.latency > LATE_MS ? "warn" : "processing"}
        step={step}
        number={state.latency}
      />
      <Figure
        name={figures.connections}
        more={state.clients_blocked > 0 && figures.wait(count(state.clients_blocked))}
        value={count(state.clients)}
        unit={state.clients_max ? figures.ofMost(compact(state.clients_max)) : ""}
        tone="processing"
        step={step}
        number={state.clients}
      />
      <Figure
        name={figures.keys}
        more={figures.flows(state.flows)}
        value={memory === null ? "–" : compact(memory.keys)}
        unit=""
        tone="processing"
        step={step}
        number={memory?.keys ?? 0}
      />
    </div>
  );
}

interface Props {
  name: string;
  more?: ReactNode;
  value: string | undefined;
  unit: string | undefined;
  tone: Tone;
  step?: number;
  /** Drawn over time. */
  number?: number;
  /** Drawn as a bar, from 0 to 1. */
  part?: number;
}

function Figure({ name, more, value, unit, tone, step, number, part }: Props) {
  return (
    <section className="card fig" aria-label={name}>
      <div className="k">
        <span>{name}</span>
        <span className="dim">{more}</span>
      </div>
      <div className="v">
        {value} <small>{unit}</small>
      </div>
      {number !== undefined && step !== undefined && (
        <Sparkline
          values={ring(`server ${name}`, number, step)}
          tone={tone}
          label={text.server.figures.sinceYouLook(name)}
        />
      )}
      {part !== undefined && (
        <div className={`sharebar-s ${tone}`} aria-hidden="true">
          <i style={{ width: `${part * 100}%` }} />
        </div>
      )}
    </section>
  );
}
