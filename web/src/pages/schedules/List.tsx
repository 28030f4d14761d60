/** The rows of schedules. */
import { memo } from "react";
import { duration, seconds, timeShort, useNow } from "../../format";
import { Button } from "../../parts/Button";
import { Card } from "../../parts/Card";
import { Link } from "../../parts/Link";
import { Menu } from "../../parts/Menu";
import { State } from "../../parts/State";
import { withParams } from "../../route";
import * as text from "../../text";
import { countsOf, usualTime, type Schedule } from "./slots";
import { Strip, StripLegend } from "./Strip";
import type { ScheduleActs } from "./useScheduleActs";
import { clock, dayOf, words, zoneName, zoneOf } from "./when";

interface Props {
  schedules: readonly Schedule[];
  chosen: string;
  acts: ScheduleActs;
}

export function List({ schedules, chosen, acts }: Props) {
  const { heads, all, order } = text.schedules;
  return (
    <Card title={all} more={order}>
      <div className="scroll" tabIndex={0} role="region" aria-label={all}>
        <table className="list schedtable">
          <thead>
            <tr>
              <th scope="col">{heads.schedule}</th>
              <th scope="col">{heads.when}</th>
              <th scope="col">{heads.state}</th>
              <th scope="col">{heads.last}</th>
              <th scope="col" className="num">
                {heads.next}
              </th>
              <th scope="col">
                <span className="sr">{heads.actions}</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {schedules.map((one) => (
              <Row key={one.id} schedule={one} chosen={one.id === chosen} acts={acts} />
            ))}
          </tbody>
        </table>
      </div>
      <StripLegend />
    </Card>
  );
}

const Row = memo(function Row({ schedule, chosen, acts }: { schedule: Schedule; chosen: boolean; acts: ScheduleActs }) {
  const { acts: said, states } = text.schedules;
  const paused = schedule.paused != null;
  return (
    <tr className={chosen ? "at on" : ""}>
      <td className="who">
        <Link to={withParams("schedules", { id: schedule.id })} className="mono strong" current={chosen}>
          <bdi>{schedule.id}</bdi>
        </Link>
        <div className="dim">
          <bdi>{schedule.workflow}</bdi>
        </div>
      </td>
      <td className="wide">
        {words(schedule)}
        <div className="dim">
          {schedule.cron != null ? (
            <>
              <span className="mono">{schedule.cron}</span> · {zoneName(schedule.timezone ?? "")}
            </>
          ) : (
            <>
              <span className="mono">{text.schedules.everyShort(schedule.interval ?? 0)}</span> ·{" "}
              {text.schedules.sinceEpoch}
            </>
          )}
        </div>
      </td>
      <td>
        <State shape={paused ? "paused" : "active"} word={paused ? states.paused : states.active} />
      </td>
      <td className="wide">
        {schedule.slots.length > 0 && <Strip schedule={schedule} />}
        <div className="sub nowrap">
          <Below schedule={schedule} />
        </div>
      </td>
      <td className="num when nowrap">
        <Next schedule={schedule} />
      </td>
      <td className="acts-at">
        <span className="gap">
          {paused ? (
            <Button icon="play" look="small" off={acts.pauseOff(schedule)} onPress={() => acts.resume(schedule)}>
              {said.resume}
            </Button>
          ) : (
            <>
              <Button
                icon="play"
                look="quiet small"
                label={acts.runOff ?? said.runOf(schedule.id)}
                off={acts.runOff}
                onPress={() => acts.run(schedule)}
              />
              <Button
                icon="pause"
                look="quiet small"
                label={said.pauseOf(schedule.id)}
                off={acts.pauseOff(schedule)}
                onPress={() => acts.pause(schedule)}
              />
            </>
          )}
          <Menu
            label={said.more(schedule.id)}
            icon="more"
            look="quiet small"
            items={[
              { text: said.run, icon: "play", off: acts.runOff, onChoose: () => acts.run(schedule) },
              { text: said.edit, icon: "edit", off: acts.editOff(schedule), onChoose: () => acts.edit(schedule) },
              {
                text: said.delete,
                icon: "bin",
                bad: true,
                off: acts.removeOff(schedule),
                onChoose: () => acts.remove(schedule),
              },
            ]}
          />
        </span>
      </td>
    </tr>
  );
});

function Next({ schedule }: { schedule: Schedule }) {
  const now = useNow();
  if (schedule.paused != null) return <>{text.schedules.states.paused}</>;
  if (schedule.next == null) return <>{text.schedules.never}</>;
  const left = Date.parse(schedule.next) - now;
  return <>{left <= 0 ? text.schedules.due : text.schedules.in(duration(Math.ceil(left / 1000) * 1000))}</>;
}

/** What is usual, and what is not, in the last slots. */
function Below({ schedule }: { schedule: Schedule }) {
  const said = text.schedules;
  const counts = countsOf(schedule.slots);
  const usual = usualTime(schedule.slots);
  const moved = schedule.moved[0];
  const zone = zoneOf(schedule);
  const parts = [
    usual === null ? null : said.takes(seconds(usual)),
    counts.open ? said.skippedN(counts.open) : null,
    counts.full ? said.fullN(counts.full) : null,
    schedule.paused == null ? null : said.pausedSince(timeShort(schedule.paused), schedule.note),
    moved ? said.moved(dayOf(moved.slot, zone), moved.local.slice(11, 16), clock(Date.parse(moved.slot), zone)) : null,
  ].filter((part) => part !== null);
  return (
    <bdi>
      {parts.join(" · ") || (schedule.slots.length ? "" : said.noSlots)}
      {counts.missed > 0 && (
        <>
          {parts.length > 0 && " · "}
          <b className="warn">{said.missedN(counts.missed)}</b>
        </>
      )}
    </bdi>
  );
}
