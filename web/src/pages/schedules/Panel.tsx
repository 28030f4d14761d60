/** The chosen schedule: what it starts, its next and its last slots, and slots that can be filled. */
import { duration, time, useNow } from "../../format";
import { Button } from "../../parts/Button";
import { Card } from "../../parts/Card";
import { Facts } from "../../parts/Facts";
import { Json } from "../../parts/Json";
import { Link } from "../../parts/Link";
import { State } from "../../parts/State";
import type { Shape } from "../../parts/shapes";
import { at, withParams } from "../../route";
import * as text from "../../text";
import { word } from "../runs/query";
import { Backfill } from "./Backfill";
import { fillOf, type Fill, type Schedule, type Slot } from "./slots";
import { slotText } from "./Strip";
import type { ScheduleActs } from "./useScheduleActs";
import { slotTime, zoneName, zoneOf } from "./when";

const LAST = 5;
const shapes: Record<Fill, Shape> = {
  done: "done",
  late: "done",
  failed: "failed",
  cancelled: "cancelled",
  now: "processing",
  gone: "inactive",
  missed: "missed",
  skipped: "skipped",
  off: "paused",
};

export function Panel({ schedule, acts }: { schedule: Schedule; acts: ScheduleActs }) {
  const { panel, states, acts: said } = text.schedules;
  const paused = schedule.paused != null;
  const zone = zoneOf(schedule);
  return (
    <Card
      className="preview"
      title={<bdi className="mono">{schedule.id}</bdi>}
      more={<State shape={paused ? "paused" : "active"} word={paused ? states.paused : states.active} />}
    >
      <div className="pad">
        <Facts
          of={[
            [
              panel.starts,
              <Link to={withParams("runs", { q: word("workflow", schedule.workflow) })} className="mono">
                <bdi>{schedule.workflow}</bdi>
              </Link>,
            ],
            [panel.declared, <bdi>{schedule.app == null ? panel.byHand : panel.inCode(schedule.app)}</bdi>],
            [panel.overlap, panel.overlaps[schedule.overlap] ?? schedule.overlap],
            [panel.missed, panel.misses[schedule.missed] ?? schedule.missed],
            schedule.created == null ? null : [panel.created, time(schedule.created)],
            schedule.input == null ? null : [panel.input, <Json value={schedule.input} lines={false} />],
          ]}
        />
      </div>
      <div className="sec">
        <h3>{panel.next(zoneName(zone))}</h3>
        {paused || !schedule.upcoming.length ? (
          <p className="dim">{panel.nextNone}</p>
        ) : (
          schedule.upcoming.map((slot) => <Upcoming key={slot} slot={slot} schedule={schedule} />)
        )}
      </div>
      <div className="sec">
        <h3>{panel.last}</h3>
        {schedule.slots.length === 0 && <p className="dim">{panel.lastNone}</p>}
        {[...schedule.slots]
          .reverse()
          .slice(0, LAST)
          .map((slot) => (
            <Last key={slot.at} slot={slot} zone={zone} />
          ))}
      </div>
      <Backfill schedule={schedule} acts={acts}>
        <Button icon="play" off={acts.runOff} onPress={() => acts.run(schedule)}>
          {said.run}
        </Button>
        {paused ? (
          <Button icon="play" off={acts.pauseOff(schedule)} onPress={() => acts.resume(schedule)}>
            {said.resume}
          </Button>
        ) : (
          <Button icon="pause" off={acts.pauseOff(schedule)} onPress={() => acts.pause(schedule)}>
            {said.pause}
          </Button>
        )}
      </Backfill>
    </Card>
  );
}

function Upcoming({ slot, schedule }: { slot: string; schedule: Schedule }) {
  const now = useNow();
  const zone = zoneOf(schedule);
  const moved = schedule.moved.find((one) => one.slot === slot);
  const left = Date.parse(slot) - now;
  return (
    <div className="row">
      <span>
        {slotTime(slot, zone)}
        {moved && <span className="warn"> {text.schedules.notThere(moved.local.slice(11, 16))}</span>}
      </span>
      <span className="dim nowrap">
        {left <= 0 ? text.schedules.due : text.schedules.in(duration(Math.ceil(left / 1000) * 1000))}
      </span>
    </div>
  );
}

function Last({ slot, zone }: { slot: Slot; zone: string }) {
  const state = <State quiet shape={shapes[fillOf(slot)]} word={slotText(slot)} />;
  return (
    <div className="row">
      <span>{slotTime(slot.at, zone)}</span>
      {slot.run != null ? (
        <Link to={at("runs", slot.run)} className="cut">
          {state}
        </Link>
      ) : (
        state
      )}
    </div>
  );
}
