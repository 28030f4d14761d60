/** Says which schedules have missed slots, why, and what their rule has done about it. */
import { duration, seconds, useNow } from "../../format";
import { Button, LinkButton } from "../../parts/Button";
import { Sentence } from "../../parts/Sentence";
import { setParams } from "../../route";
import * as text from "../../text";
import { alarmOf, type Alarm, type Schedule } from "./slots";
import { slotTime, slotTimes, zoneOf } from "./when";

/** So many are told of; the list has all. */
const MOST = 2;
/** So many times are told one by one. */
const TIMES = 3;
/** And so many names of further schedules. */
const NAMES = 6;

export function Alarms({ schedules, now }: { schedules: readonly Schedule[]; now: number }) {
  const found = schedules.flatMap((one) => alarmOf(one, now) ?? []);
  const further = found.slice(MOST).map((one) => one.schedule.id);
  return (
    <>
      {found.slice(0, MOST).map((one) => (
        <Told key={one.schedule.id} alarm={one} />
      ))}
      {further.length > 0 && (
        <Sentence head={<bdi>{text.schedules.alarm.further(further.slice(0, NAMES), further.length)}</bdi>} />
      )}
    </>
  );
}

function Told({ alarm: { schedule, kind, missed, madeUp } }: { alarm: Alarm }) {
  const { alarm } = text.schedules;
  const now = useNow();
  const zone = zoneOf(schedule);
  const told = missed.length > TIMES ? [missed[0]!, missed.at(-1)!] : missed;
  const times = slotTimes(
    told.map((slot) => slot.at),
    zone,
  );
  const rule = alarm.rules[schedule.missed] ?? "";
  if (kind === "due")
    return (
      <Sentence
        look="bad"
        head={<bdi>{alarm.due(schedule.id)}</bdi>}
        acts={<LinkButton to="workers">{alarm.who}</LinkButton>}
      >
        {alarm.dueMore(duration(now - Date.parse(missed[0]!.at)))}
      </Sentence>
    );
  const choose = () =>
    setParams({ id: schedule.id, from: missed[0]!.at, until: missed.at(-1)!.at }, { replace: false });
  return (
    <Sentence
      head={<bdi>{alarm.missed(schedule.id, missed.length)}</bdi>}
      acts={
        <>
          <LinkButton to="workers">{alarm.who}</LinkButton>
          <Button onPress={choose}>{alarm.backfill(missed.length)}</Button>
        </>
      }
    >
      {alarm.away(times, missed.length)} {rule}
      {madeUp ? alarm.madeUp(slotTime(madeUp.at, zone), seconds(madeUp.late)) : alarm.stop}
    </Sentence>
  );
}
