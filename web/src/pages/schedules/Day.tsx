/** A day of all schedules, as lanes: what came is coloured, what is planned grey. */
import { useEffect, useState } from "react";
import { ask, type Answer } from "../../ask";
import { timeShort, useNow } from "../../format";
import { Card } from "../../parts/Card";
import * as text from "../../text";
import type { Schedule } from "./slots";

const HOUR = 3_600_000;
/** So many hours before now are shown, of 24. */
const BEFORE = 6;
const HOURS = 24;
const EVERY = 3;
/** A comb of more slots than this in a day is drawn tighter. */
const TIGHT_MS = 5 * 60_000;
type Lane = Answer<"schedules.day">[number];
type Marked = Lane["marks"][number];

export function Day({ schedules }: { schedules: readonly Schedule[] }) {
  const now = useNow();
  const start = Math.floor(now / HOUR) * HOUR - BEFORE * HOUR;
  const end = start + HOURS * HOUR;
  const [lanes, setLanes] = useState<Lane[]>([]);
  // What came is told by the last slot of each; dense ones are combs, which a further slot does not change.
  const changed = schedules
    .map((one) => `${one.id} ${one.cron ?? one.interval} ${one.paused ?? ""} ${isDense(one) ? "" : one.last_slot}`)
    .sort()
    .join();
  useEffect(() => {
    const gone = new AbortController();
    const span = { start: new Date(start).toISOString(), end: new Date(end).toISOString() };
    ask("schedules.day", span, gone.signal).then(setLanes, () => {});
    return () => gone.abort();
  }, [start, end, changed]);
  const words = text.schedules.day;
  const byId = new Map(schedules.map((one) => [one.id, one]));
  const shown = lanes.filter((lane) => lane.marks.length && byId.has(lane.id));
  const none = lanes.filter((lane) => !lane.marks.length).map((lane) => lane.id);
  const place = (at: number) => (100 * (at - start)) / (end - start);
  if (!lanes.length) return null;
  return (
    <Card title={words.title(timeShort(start, start), timeShort(end, end))} more={words.more}>
      <div className="day pad">
        <span />
        <div className="hours">
          {Array.from({ length: HOURS / EVERY }, (_, i) => start + (i * EVERY + 1) * HOUR)
            .filter((at) => Math.abs(place(at) - place(now)) > 6)
            .map((at) => (
              <span key={at} style={{ left: `${place(at)}%` }}>
                {timeShort(at, at)}
              </span>
            ))}
          <span className="now" style={{ left: `${place(now)}%` }}>
            {words.now(timeShort(now, now))}
          </span>
        </div>
        {shown.map((lane) => (
          <LaneRow key={lane.id} lane={lane} schedule={byId.get(lane.id)!} place={place} now={now} />
        ))}
      </div>
      {none.length > 0 && (
        <p className="foot">
          <bdi>{words.none(none.slice(0, 5), none.length)}</bdi>
        </p>
      )}
    </Card>
  );
}

function isDense(schedule: Schedule): boolean {
  return pauseOf(schedule) < 25 * 60_000;
}

/** The time between two slots to come, in ms. */
function pauseOf(schedule: Schedule): number {
  const [first, second] = schedule.upcoming;
  return first && second ? Date.parse(second) - Date.parse(first) : Infinity;
}

interface LaneProps {
  lane: Lane;
  schedule: Schedule;
  place: (at: number) => number;
  now: number;
}

function LaneRow({ lane, schedule, place, now }: LaneProps) {
  const tight = pauseOf(schedule) < TIGHT_MS;
  return (
    <>
      <div className="lb mono" title={lane.id}>
        <bdi>{lane.id}</bdi>
      </div>
      <div className="ln">
        {lane.marks.map((mark) => (
          <MarkOf key={`${mark.at} ${mark.until}`} mark={mark} tight={tight} place={place} />
        ))}
        <span className="nowline" style={{ left: `${place(now)}%` }} />
      </div>
    </>
  );
}

const tones: Partial<Record<Marked["word"], string>> = {
  ran: "done",
  planned: "waiting",
  paused: "off",
  missed: "off missed",
  due: "off missed",
};

function MarkOf({ mark, tight, place }: { mark: Marked; tight: boolean; place: (at: number) => number }) {
  const { day, slot } = text.schedules;
  const from = Date.parse(mark.at);
  const tone = tones[mark.word] ?? "cancelled";
  if (mark.until == null) {
    const word = mark.word === "ran" ? text.schedules.legend.ran : slot[mark.word];
    return <i className={tone} style={{ left: `${place(from)}%` }} title={day.mark(timeShort(from), word)} />;
  }
  const until = Date.parse(mark.until);
  return (
    <i
      className={`wide ${tight ? "tight" : ""} ${tone}`}
      style={{ left: `${place(from)}%`, width: `max(4px, ${place(until) - place(from)}%)` }}
      title={day.comb(timeShort(from), timeShort(until))}
    />
  );
}
