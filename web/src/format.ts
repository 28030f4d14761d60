/** Numbers, times and ages as people read them, by the browser's own rules. */
import { useSyncExternalStore } from "react";

/** Without a browser, in tests, whatever is the machine's. */
const language = globalThis.navigator?.language;
const whole = new Intl.NumberFormat(language, { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat(language, { notation: "compact", maximumFractionDigits: 1 });
const one = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });
const two = new Intl.NumberFormat(language, { maximumFractionDigits: 2 });
const share = new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 0 });
const fine = new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 1 });
const clock = new Intl.DateTimeFormat(language, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
});
const clockShort = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const day = new Intl.DateTimeFormat(language, { day: "numeric", month: "short" });
const date = new Intl.DateTimeFormat(language, { dateStyle: "full" });
const full = new Intl.DateTimeFormat(language, { dateStyle: "full", timeStyle: "long" });

/** 25240 → "25,240" */
export const count = (n: number) => whole.format(n);
/** 26400 → "26.4K" */
export const compact = (n: number) => (Math.abs(n) < 10_000 ? whole.format(n) : short.format(n));
/** 0.743 → "74%" */
export const percent = (part: number) => share.format(part);
/** 0.026 → "2.6%"; 0.26 → "26%" */
export const percentFine = (part: number) => (part > 0 && part < 0.1 ? fine : share).format(part);
/** 3.25 → "3.3"; 370.4 → "370" */
export const rate = (n: number) => (Math.abs(n) >= 100 ? whole : Math.abs(n) >= 1 ? one : two).format(n);

/** Milliseconds → "38 ms", "0.3 s", "2 m 14 s", "1 h 12 m", "3 d 4 h". */
export function duration(ms: number): string {
  if (!Number.isFinite(ms)) return "–";
  if (ms < 0) return `−${duration(-ms)}`;
  if (ms < 100) return `${ms < 1 && ms > 0 ? two.format(ms) : Math.round(ms)} ms`;
  if (ms < 9_950) return `${one.format(ms / 1000)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return pair(seconds, 60, "m", "s");
  if (seconds < 86_400) return pair(Math.round(seconds / 60), 60, "h", "m");
  return pair(Math.round(seconds / 3600), 24, "d", "h");
}

function pair(n: number, size: number, big: string, small: string): string {
  const rest = n % size;
  return rest ? `${Math.floor(n / size)} ${big} ${rest} ${small}` : `${n / size} ${big}`;
}

/** Seconds → as `duration`. */
export const seconds = (s: number) => duration(s * 1000);

export type Instant = string | number | Date;
const asDate = (at: Instant) => (at instanceof Date ? at : new Date(at));
export const msOf = (at: Instant) => asDate(at).getTime();

/** "16:09:02", with the day where it is not today's: "26 Nov 16:09:02". */
export function time(at: Instant, now = Date.now()): string {
  const date = asDate(at);
  return sameDay(date, new Date(now)) ? clock.format(date) : `${day.format(date)} ${clock.format(date)}`;
}
/** "16:09", with the day where it is not today's. */
export function timeShort(at: Instant, now = Date.now()): string {
  const date = asDate(at);
  return sameDay(date, new Date(now)) ? clockShort.format(date) : `${day.format(date)} ${clockShort.format(date)}`;
}
/** "16:09:02.118" */
export function timeExact(at: Instant, now = Date.now()): string {
  return `${time(at, now)}.${String(asDate(at).getMilliseconds()).padStart(3, "0")}`;
}
/** "16:09:02", whatever the day. */
export const timeOfDay = (at: Instant) => clock.format(asDate(at));
/** "Thursday 26 November 2026" */
export const dayOf = (at: Instant) => date.format(asDate(at));
/** The whole of it, for a title. */
export const timeFull = (at: Instant) => full.format(asDate(at));

const sameDay = (a: Date, b: Date) => a.toDateString() === b.toDateString();

/** Bytes → "1.2 MB". */
export function bytes(n: number): string {
  const names = ["B", "kB", "MB", "GB", "TB"];
  let i = 0;
  while (n >= 1000 && i < names.length - 1) [n, i] = [n / 1000, i + 1];
  return `${i === 0 ? whole.format(n) : one.format(n)} ${names[i]}`;
}

/** "0192f3a1-6c7e-7c41-8a90-2b61e04fc41a" → "0192…c41a"; what is short stays. */
export const shortId = (id: string) => (id.length > 12 ? `${id.slice(0, 4)}…${id.slice(-4)}` : id);

let now = Date.now();
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

function subscribe(listener: () => void) {
  listeners.add(listener);
  timer ??= setInterval(() => {
    now = Date.now();
    for (const tell of [...listeners]) tell();
  }, 1000);
  return () => {
    listeners.delete(listener);
    if (!listeners.size) {
      clearInterval(timer);
      timer = undefined;
    }
  };
}

/** The time now, in ms since 1970, anew each second: one timer for all ages of a page. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () =>
    timer === undefined ? (now = Math.max(now, Date.now() - (Date.now() % 1000))) : now,
  );
}
