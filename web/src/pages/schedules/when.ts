/** When a schedule comes, in words, and instants on the clock of its time zone. */
import cronstrue from "cronstrue";
import type { Live, ScheduleView } from "@typed-flows/react";
import * as text from "../../text";

type Times = Pick<Live<ScheduleView>, "cron" | "interval">;
const DAILY = /^[\d,]+\s+[\d,]+\s+\*\s+\*\s+\*$|^@(?:daily|midnight)$/i;

/** "Every day at 03:00"; an expression that cannot be put into words stands for itself. */
export function words({ cron, interval }: Times): string {
  if (cron == null) return interval == null ? "" : text.schedules.every(interval);
  return cronWords(cron) ?? cron;
}

/** The words of a cron expression; null where it is none. */
export function cronWords(cron: string): string | null {
  try {
    const told = cronstrue.toString(cron.trim(), { use24HourTimeFormat: true, verbose: false });
    return text.schedules.cron(told, DAILY.test(cron.trim()));
  } catch {
    return null;
  }
}

const localZone = Intl.DateTimeFormat().resolvedOptions().timeZone;

/** The zone on whose clock a schedule is told of: its own; of an interval, that of the browser. */
export const zoneOf = (schedule: { timezone?: string | null }) => schedule.timezone ?? localZone;
/** "Europe/Berlin" → "Berlin" */
export const zoneName = (zone: string) => zone.slice(zone.lastIndexOf("/") + 1).replaceAll("_", " ");

const formats = new Map<string, Intl.DateTimeFormat>();
function format(zone: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${zone} ${JSON.stringify(options)}`;
  const found = formats.get(key) ?? new Intl.DateTimeFormat("en-GB", { timeZone: known(zone), ...options });
  formats.set(key, found);
  return found;
}

/** A zone that this browser does not know is told of in UTC. */
function known(zone: string): string {
  try {
    new Intl.DateTimeFormat("en", { timeZone: zone });
    return zone;
  } catch {
    return "UTC";
  }
}

const DAY = { weekday: "short", day: "numeric", month: "short" } as const;
const CLOCK = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" } as const;

/** "Fri, 27 Nov 03:00"; with seconds where there are any. */
export function slotTime(at: string, zone: string): string {
  const date = new Date(at);
  const seconds = date.getTime() % 60_000 ? ({ second: "2-digit" } as const) : {};
  return `${format(zone, DAY).format(date)} ${format(zone, { ...CLOCK, ...seconds }).format(date)}`;
}

/** Several instants: the day of one that is that of the one before is left out. */
export function slotTimes(at: readonly string[], zone: string): string[] {
  const day = (one: string) => format(zone, DAY).format(new Date(one));
  return at.map((one, i) =>
    i > 0 && day(at[i - 1]!) === day(one) ? slotTime(one, zone).slice(day(one).length + 1) : slotTime(one, zone),
  );
}

export const clock = (at: number, zone: string) => format(zone, CLOCK).format(at);
/** "28 March" */
export const dayOf = (at: string, zone: string) => format(zone, { day: "numeric", month: "long" }).format(new Date(at));

const PARTS = { year: "numeric", month: "2-digit", day: "2-digit", ...CLOCK, second: "2-digit" } as const;

/** "2026-11-27 03:00", as a field has it; with seconds where there are any. */
export function toField(at: number, zone: string): string {
  return wall(at, zone)
    .slice(0, at % 60_000 ? 19 : 16)
    .replace("T", " ");
}

function wall(at: number, zone: string): string {
  const parts = Object.fromEntries(
    format(zone, PARTS)
      .formatToParts(at)
      .map((one) => [one.type, one.value]),
  );
  return `${parts.year}-${parts.month}-${parts.day}T${parts.hour}:${parts.minute}:${parts.second}`;
}

const FIELD = /^\s*\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d)?\s*$/;

/** The instant at which the clock of a zone shows a time, in ms since 1970; NaN where it is none. */
export function fromField(value: string, zone: string): number {
  const wanted = FIELD.test(value) ? Date.parse(`${value.trim().replace(" ", "T")}Z`) : NaN;
  let at = wanted;
  // The offset of the first guess may be that of the other side of a change of the clock.
  for (let i = 0; i < 2; i++) if (Number.isFinite(at)) at += wanted - Date.parse(`${wall(at, zone)}Z`);
  return at;
}
