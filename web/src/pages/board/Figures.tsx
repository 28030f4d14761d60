/** Six figures of a flow over the window, each with its line. */
import type { FlowHistory, Live, QueueView } from "@typed-flows/react";
import { memo, type ReactNode } from "react";
import { count, duration, percent, seconds } from "../../format";
import { Link } from "../../parts/Link";
import { Sparkline } from "../../parts/Sparkline";
import type { Tone } from "../../parts/shapes";
import { jobsAt } from "../../route";
import * as text from "../../text";
import { minutesBefore, oldest, over, pace, perMinute, sum, type Window } from "./figures";
import { shortName } from "./travel";

const t = text.board;

interface Props {
  flow: string;
  queues: readonly Live<QueueView>[];
  history: Live<FlowHistory>;
  since: Window;
}

export const Figures = memo(function Figures({ flow, queues, history, since }: Props) {
  const created = pace(history, history.came, history.before?.came);
  const done = pace(history, history.done, history.before?.done);
  const slots = sum(queues.map((one) => one.slots));
  const busy = sum(queues.map((one) => one.processing));
  const eldest = oldest(queues);
  const failed = sum(history.failed);
  const whole = (history.came.length * history.step) / 60;
  const more = history.before && minutesBefore(history) >= whole * 0.9 ? failed - history.before.failed : null;
  const last = t.last[since];
  const waits = history.queues.find((one) => one.name === eldest?.name)?.start_p95 ?? [];
  return (
    <div className="figs">
      <Figure
        name={t.created}
        note={<Change part={created.change} />}
        value={created.now == null ? t.none : count(Math.round(created.now))}
        unit={t.perMinute}
        line={perMinute(history, history.came)}
        tone="processing"
        label={last}
      />
      <Figure
        name={t.done}
        note={<Change part={done.change} />}
        value={done.now == null ? t.none : count(Math.round(done.now))}
        unit={t.perMinute}
        line={perMinute(history, history.done)}
        tone="done"
        label={last}
      />
      <Figure
        name={t.inFlight}
        note={slots > 0 && <span className="dim">{percent(Math.min(1, busy / slots))}</span>}
        value={<Link to={jobsAt(`flow:${flow} state:processing`)}>{count(busy)}</Link>}
        unit={slots > 0 ? t.of(slots) : ""}
        line={[...over(history, history.processing), busy]}
        tone="processing"
        label={last}
      />
      <Figure
        name={t.timeToStart}
        note={<span className="dim">{t.firstQueue}</span>}
        {...split(history.start_all == null ? null : duration(history.start_all))}
        line={over(history, history.start_p95)}
        tone="delayed"
        label={last}
      />
      <Figure
        name={t.oldest}
        note={
          eldest && (
            <span className="warn cut">
              {t.inQueue} <bdi>{shortName(eldest.name)}</bdi>
            </span>
          )
        }
        value={
          eldest ? (
            <Link to={jobsAt(`flow:${flow} queue:${eldest.name} state:waiting`)}>{seconds(eldest.oldest ?? 0)}</Link>
          ) : (
            t.none
          )
        }
        unit={eldest ? "" : t.nothingWaits}
        line={eldest ? over(history, waits) : []}
        tone="warn"
        label={eldest ? t.waitedIn(shortName(eldest.name)) : last}
      />
      <Figure
        name={t.failed}
        note={
          more != null &&
          more !== 0 && (
            <span className={more > 0 ? "down" : "up"} title={t.against}>
              {t.moreJobs(more)}
            </span>
          )
        }
        value={<Link to={jobsAt(`flow:${flow} state:failed`)}>{count(failed)}</Link>}
        unit={last}
        line={over(history, history.failed)}
        tone="failed"
        label={last}
      />
    </div>
  );
});

interface FigureProps {
  name: string;
  note?: ReactNode;
  value: ReactNode;
  unit: string;
  line: (number | null)[];
  tone: Tone;
  label: string;
}

function Figure({ name, note, value, unit, line, tone, label }: FigureProps) {
  return (
    <section className="card fig" aria-label={name}>
      <div className="k">
        <span>{name}</span>
        {note}
      </div>
      <div className="v">
        {value} <small>{unit}</small>
      </div>
      {line.length > 1 && line.some((one) => one != null) ? (
        <Sparkline values={line} tone={tone} label={t.figureLabel(name, label)} />
      ) : (
        <span className="no-line" />
      )}
    </section>
  );
}

function Change({ part }: { part: number | null }) {
  if (part == null || Math.abs(part) < 0.005 || Math.abs(part) > 9.99) return null;
  return (
    <span className={part > 0 ? "up" : "dim"} title={t.against}>
      {t.more(part)}
    </span>
  );
}

/** The number large, its unit small. */
function split(said: string | null): { value: string; unit: string } {
  if (said == null) return { value: t.none, unit: t.noneStarted };
  const at = said.lastIndexOf(" ");
  return said.split(" ").length === 2
    ? { value: said.slice(0, at), unit: `${said.slice(at + 1)} ${t.p95}` }
    : { value: said, unit: t.p95 };
}
