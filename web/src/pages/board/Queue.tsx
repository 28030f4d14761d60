/** One queue: what it holds, how fast, how long jobs wait, its limits, who runs and is next. */
import type { Live, QueueHistory, QueueLanes, QueueView } from "@typed-flows/react";
import { memo } from "react";
import { count, duration, msOf, seconds, timeShort } from "../../format";
import { Icon } from "../../parts/Icon";
import { Link } from "../../parts/Link";
import { Meter } from "../../parts/Meter";
import { Sparkline } from "../../parts/Sparkline";
import { jobsAt, withParams } from "../../route";
import * as text from "../../text";
import { Depth } from "./Depth";
import { Lanes } from "./Lanes";
import { QueueActs } from "./QueueActs";
import { held, shortName } from "./travel";

const t = text.board;

interface Props {
  queue: Live<QueueView>;
  lanes: Live<QueueLanes> | undefined;
  history: Live<QueueHistory> | undefined;
  /** Of how many steps, from the first, nothing is known. */
  unknown: number;
  /** Whether it stands inside of its parent. */
  nested?: boolean;
  /** How many jobs stand in its child queues; null where it has none. */
  below?: number | null;
  /** When this was read, ms since 1970, and whether nothing newer is known. */
  at: number;
  old: boolean;
  /** Whether the next queue is named, since no arrow leads there. */
  goesTo?: boolean;
  children?: React.ReactNode;
}

export const Queue = memo(function Queue(props: Props) {
  const { queue, lanes, nested = false, below = null, at, old, goesTo = false, children } = props;
  const here = held(queue);
  const isParent = below !== null;
  return (
    <section className="card q" aria-label={t.queue(queue.name)}>
      <div className="hd">
        <h2 title={queue.name}>
          <bdi className="cut">{shortName(queue.name)}</bdi>
        </h2>
        {isParent && <span className="chip hide-s">{t.parentQueue}</span>}
        <QueueActs queue={queue} old={old} />
      </div>
      <div className="depth">
        <b>
          <Link to={jobsAt(`flow:${queue.flow} queue:${queue.name}`)}>{count(here)}</Link>
        </b>
        <span className="dim">{nested ? t.children(here) : t.jobsHere(here)}</span>
      </div>
      <Depth queue={queue} />
      <Chips queue={queue} at={at} />
      <div className="facts">
        <div title={t.lately}>
          <div className="k">{t.inOut}</div>
          <div className="v">
            {rateOf(queue.came)} / {rateOf(queue.left)} {!nested && <small>{t.minute}</small>}
          </div>
        </div>
        {!nested && (
          <div>
            <div className="k">{isParent ? t.oldestParent : t.oldestShort}</div>
            <div className="v">{queue.oldest == null ? t.none : seconds(queue.oldest)}</div>
          </div>
        )}
        {isParent ? (
          <div>
            <div className="k">{t.childrenLeft}</div>
            <div className="v">{count(below)}</div>
          </div>
        ) : (
          <div>
            <div className="k">{t.busy}</div>
            <div className="v">
              {count(Math.min(queue.processing, queue.slots || queue.processing))} / {count(queue.slots)}
            </div>
            <Meter part={queue.slots ? queue.processing / queue.slots : 0} label={t.busy} />
          </div>
        )}
      </div>
      <Latency {...props} />
      {children}
      {lanes && !isParent && !nested && <Lanes queue={queue} lanes={lanes} at={at} />}
      {goesTo && queue.next != null && (
        <div className="cap">
          <Icon name="right" size={12} /> {t.goesTo} <bdi className="mono">{queue.next}</bdi>
        </div>
      )}
    </section>
  );
});

const rateOf = (rate: number | null | undefined) => (rate == null ? t.none : count(Math.round(rate)));

function Latency({ queue, history, unknown }: Props) {
  const line = (history?.start_p95 ?? []).slice(unknown, -1);
  const slow = (queue.oldest ?? 0) >= 30;
  return (
    <div className="lat">
      <div>
        <div className="dim">{t.timeToStartShort}</div>
        {queue.start_p95 == null ? (
          <span className="dim">{t.noneStarted}</span>
        ) : (
          <>
            <b>{duration(queue.start_p50 ?? 0)}</b> <span className="dim">{t.p50}</span> ·{" "}
            <b>{duration(queue.start_p95)}</b> <span className="dim">{t.p95}</span>
          </>
        )}
      </div>
      {line.filter((value) => value != null).length > 1 && (
        <Sparkline
          values={line}
          tone={slow ? "warn" : "processing"}
          label={t.figureLabel(t.timeToStart, t.queue(queue.name))}
          height={30}
        />
      )}
    </div>
  );
}

/** What holds it back: limits, a pause, nobody who works on it. */
function Chips({ queue, at }: { queue: Live<QueueView>; at: number }) {
  const link = withParams("limits", { flow: queue.flow, queue: queue.name });
  const chips = [
    queue.unserved && (
      <span key="unserved" className="chip bad">
        <Icon name="plug" size={12} /> {t.unservedChip}
      </span>
    ),
    queue.paused && (
      <span key="paused" className="chip warn">
        <Icon name="pause" size={12} />{" "}
        {t.pausedUntil(queue.paused_until == null ? null : timeShort(queue.paused_until))}
      </span>
    ),
    queue.held_until != null && (
      <span key="held" className="chip warn">
        <Icon name="held" size={12} /> {t.heldUntil(timeShort(queue.held_until))}
      </span>
    ),
    ...queue.limits.map((limit) => {
      const full = !limit.per_group && limit.free === 0;
      const back = full || (limit.per_group && queue.parked > 0);
      return (
        <Link key={limit.id} to={link} className={`chip ${back ? "warn" : ""}`} title={limit.id}>
          {back && <Icon name="limits" size={12} />}
          {limit.kind === "slots"
            ? t.limit.slots(limit.live, limit.per_group)
            : t.limit.limiter(limit.live, limit.interval ?? 0, limit.per_group)}
          {full && ` · ${limit.ready == null ? t.limit.full : t.limit.frees(msOf(limit.ready) - at)}`}
          {limit.per_group && queue.parked > 0 && ` · ${t.limit.parked(queue.parked)}`}
        </Link>
      );
    }),
  ].filter(Boolean);
  return chips.length ? <div className="legend chips">{chips}</div> : null;
}
