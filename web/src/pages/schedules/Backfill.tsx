/** Starts the runs of past slots that have none; what would run is shown before. */
import { useEffect, useMemo, useState, type ReactNode } from "react";
import { act, ask, Problem, type Answer } from "../../ask";
import { Button } from "../../parts/Button";
import { Mark } from "../../parts/State";
import { useToast } from "../../parts/Toast";
import { setParams, useRoute } from "../../route";
import * as text from "../../text";
import { TextField, Wrong } from "../runs/dialogs/fields";
import type { Schedule } from "./slots";
import type { ScheduleActs } from "./useScheduleActs";
import { fromField, slotTime, toField, zoneName, zoneOf } from "./when";

const DAY = 86_400_000;
const minuteOf = (at: number) => Math.floor(at / 60_000) * 60_000;
/** A field has whole seconds. */
const upTo = (at: number) => Math.ceil(at / 1000) * 1000;
const WAIT = 250;
const SHOWN = 8;
type Preview = Answer<"schedules.slots">;

export function Backfill({
  schedule,
  acts,
  children,
}: {
  schedule: Schedule;
  acts: ScheduleActs;
  children: ReactNode;
}) {
  const { backfill } = text.schedules;
  const toast = useToast();
  const zone = zoneOf(schedule);
  const { params } = useRoute();
  const given = { from: params.get("from"), until: params.get("until") };
  const [first, last] = usualSpan(schedule);
  const [from, setFrom] = useState(() => toField(given.from ? Date.parse(given.from) : first, zone));
  const [until, setUntil] = useState(() => toField(given.until ? upTo(Date.parse(given.until)) : last, zone));
  useEffect(() => {
    if (given.from) setFrom(toField(Date.parse(given.from), zone));
    if (given.until) setUntil(toField(upTo(Date.parse(given.until)), zone));
  }, [given.from, given.until, zone]);
  const span = useMemo(() => {
    const start = fromField(from, zone);
    const end = Math.min(fromField(until, zone), Date.now());
    return start < end ? { start: new Date(start).toISOString(), end: new Date(end).toISOString() } : null;
  }, [from, until, zone]);
  const [asked, setAsked] = useState(0);
  const [preview, setPreview] = useState<Preview | null>(null);
  const [wrong, setWrong] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    setPreview(null);
    setWrong(span ? null : backfill.badTime);
    if (!span) return;
    const gone = new AbortController();
    const timer = setTimeout(() => {
      ask("schedules.slots", { id: schedule.id, ...span }, gone.signal).then(
        (found) => (setPreview(found), setWrong(null)),
        (error: unknown) => error instanceof Problem && setWrong(error.message),
      );
    }, WAIT);
    return () => (clearTimeout(timer), gone.abort());
  }, [schedule.id, span, asked, backfill.badTime]);
  const open = preview?.without_run ?? 0;
  const fill = async () => {
    if (!span) return;
    setBusy(true);
    try {
      const answer = await act("schedules.backfill", { id: schedule.id, ...span });
      toast(backfill.done(answer.count));
      setParams({ from: null, until: null });
      setAsked((n) => n + 1);
    } catch (error) {
      setWrong(error instanceof Problem ? error.message : String(error));
    } finally {
      setBusy(false);
    }
  };
  const nothing = wrong ?? (preview === null ? backfill.looking : open ? null : backfill.nothing);
  return (
    <>
      <div className="sec">
        <h3>{backfill.title}</h3>
        <div className="g2">
          <TextField
            label={backfill.from}
            type={zoneName(zone)}

            value={from}
            onChange={setFrom}
          />
          <TextField
            label={backfill.until}
            type={zoneName(zone)}

            value={until}
            onChange={setUntil}
          />
        </div>
        <Wrong what={wrong} />
        {preview && <Told preview={preview} zone={zone} />}
      </div>
      <div className="acts">
        <Button icon="plus" look="pri" busy={busy} off={acts.fillOff ?? nothing} onPress={() => void fill()}>
          {backfill.act(open)}
        </Button>
        {children}
      </div>
    </>
  );
}

/** The slots that were missed, or the last day, as far as there was a schedule. */
function usualSpan(schedule: Schedule): [number, number] {
  const missed = schedule.slots.filter((slot) => slot.word === "missed").map((slot) => Date.parse(slot.at));
  if (missed.length) return [missed[0]!, upTo(missed.at(-1)!)];
  const now = minuteOf(Date.now());
  return [Math.max(now - DAY, schedule.created == null ? 0 : minuteOf(Date.parse(schedule.created))), now];
}

function Told({ preview, zone }: { preview: Preview; zone: string }) {
  const { backfill, slot: said } = text.schedules;
  const { slots, total, without_run: open } = preview;
  const ran = slots.filter((slot) => slot.word === "ran").length;
  const ahead = slots.filter((slot) => slot.word === "planned").length;
  return (
    <>
      <p className="sub" role="status">
        {total ? backfill.says(total, open, ran, ahead) : backfill.none}
      </p>
      {total > 0 && (
        <ul className="slotlist">
          {slots.slice(0, SHOWN).map((slot) => (
            <li key={slot.at}>
              <Mark shape={slot.word === "ran" ? "inactive" : slot.word === "planned" ? "waiting" : "missed"} />
              <span>{slotTime(slot.at, zone)}</span>
              <span className="dim">
                {slot.word === "ran"
                  ? backfill.stays
                  : slot.word === "planned"
                    ? backfill.later
                    : `${backfill.would} · ${said[slot.word]}`}
              </span>
            </li>
          ))}
          {total > SHOWN && <li className="dim">{backfill.further(total - SHOWN)}</li>}
        </ul>
      )}
    </>
  );
}
