/** The last slots as a strip: height is how long the run took, the fill how it ended. */
import { seconds } from "../../format";
import * as text from "../../text";
import { countsOf, fillOf, heights, isLate, type Fill, type Schedule, type Slot } from "./slots";
import { slotTime, zoneOf } from "./when";

const HIGHEST = 22;
const classes: Record<Fill, string> = {
  done: "done",
  late: "late done",
  failed: "failed failed",
  cancelled: "cancelled",
  now: "now processing",
  gone: "gone cancelled",
  missed: "missed",
  skipped: "skipped",
  off: "off",
};
const legend: readonly Exclude<Fill, "cancelled" | "gone">[] = [
  "done",
  "failed",
  "missed",
  "late",
  "skipped",
  "now",
  "off",
];

export function Strip({ schedule }: { schedule: Schedule }) {
  const { slots } = schedule;
  const counts = countsOf(slots);
  const high = heights(slots);
  const zone = zoneOf(schedule);
  const { done, failed, missed, open, full } = counts;
  return (
    <span
      className="strip"
      role="img"
      aria-label={text.schedules.stripOf(done, failed, missed, open + full, slots.length)}
    >
      {slots.map((slot, i) => {
        const fill = fillOf(slot);
        const short = fill === "skipped" || fill === "off";
        return (
          <i
            key={slot.at}
            className={classes[fill]}
            style={{ height: `${Math.round(HIGHEST * (short ? 0.35 : fill === "missed" ? 0.9 : high[i]!))}px` }}
            title={text.schedules.slot.doneAt(slotTime(slot.at, zone), slotText(slot))}
          />
        );
      })}
    </span>
  );
}

/** What became of a slot, in words. */
export function slotText(slot: Slot): string {
  const { slot: said } = text.schedules;
  if (slot.word !== "ran") return said[slot.word];
  if (slot.status == null) return said.gone;
  if (slot.status === "failed") return said.failed(slot.error_type ?? "");
  if (slot.status === "cancelled") return said.cancelled;
  if (slot.status === "processing") return said.runs;
  if (slot.status !== "done") return said.waits;
  return isLate(slot) ? said.late(seconds(slot.late)) : said.done(seconds(slot.took ?? 0));
}

export function StripLegend() {
  return (
    <div className="keyrow">
      {legend.map((fill) => (
        <span key={fill}>
          <span className="strip">
            <i className={classes[fill]} />
          </span>
          {text.schedules.legend[fill]}
        </span>
      ))}
    </div>
  );
}
