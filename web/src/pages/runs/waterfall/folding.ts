/**
 * Time on an axis, with what nobody needs to see folded away: days of waiting must not flatten milliseconds.
 *
 * The axis is cut at each instant at which a bar begins or ends. A stretch in which something ran may be much longer than
 * the others, but not so much that they vanish; one in which everything waits gets a small share. What is longer is
 * folded: its two ends are drawn at the scale of the rest, and a mark between them stands for what is left out.
 */

export interface Span {
  from: number;
  to: number;
  /** Whether something ran; else it was waited. */
  busy: boolean;
}

export interface Fold {
  /** Where the mark stands, in percent of the axis. */
  left: number;
  /** The time that is left out, in ms. */
  ms: number;
  from: number;
  to: number;
}

export interface Folding {
  begin: number;
  end: number;
  folds: readonly Fold[];
  /** How wide the mark of each is, in percent of the axis. */
  mark: number;
  /** Where an instant stands, in percent of the axis; what is before or behind it stands at its ends. */
  place: (at: number) => number;
}

/** The width of a mark, in percent of the axis; all of them together take so much at most. */
const MARK = 2.2;
const MARKS = 30;
/** A busy stretch may be so many times as long as the middle one of all; a longer one is drawn as so many of these. */
const LONG = 25;
const SHOWN = 6;
/** All stretches of waiting together may take so much of what the busy ones take, and a single one so much at most. */
const WAITS = 1.2;
const WAIT = 0.15;
/** What is waited for still, at the end of the axis, may take more. */
const LAST = 0.5;
/** What would be folded to more than this part of itself is drawn whole. */
const WORTH = 0.4;

interface Stretch {
  from: number;
  to: number;
  busy: boolean;
  shown: number;
}

export function fold(spans: readonly Span[]): Folding {
  const stretches = cut(spans);
  if (!stretches.length) {
    const at = spans[0]?.from ?? 0;
    return { begin: at, end: at, folds: [], mark: 0, place: () => 0 };
  }
  shorten(stretches);
  const folded = stretches.filter((one) => one.shown < one.to - one.from);
  const sum = stretches.reduce((all, one) => all + one.shown, 0);
  const mark = folded.length ? Math.min(MARK, MARKS / folded.length) : 0;
  const scale = (100 - mark * folded.length) / sum;
  const folds: Fold[] = [];
  const points: [number, number][] = [];
  let left = 0;
  for (const { from, to, shown } of stretches) {
    const width = shown * scale;
    points.push([from, left]);
    if (shown < to - from) {
      const half = shown / 2;
      folds.push({ left: left + width / 2, ms: to - from - shown, from: from + half, to: to - half });
      points.push([from + half, left + width / 2], [to - half, left + width / 2 + mark]);
      left += mark;
    }
    left += width;
    points.push([to, left]);
  }
  const begin = stretches[0]!.from;
  const end = stretches.at(-1)!.to;
  return { begin, end, folds, mark, place: (at) => between(points, at) };
}

/** Cuts the time at each instant at which something begins or ends. */
function cut(spans: readonly Span[]): Stretch[] {
  const instants = [...new Set(spans.flatMap((one) => [one.from, one.to]))].sort((a, b) => a - b);
  const busy = busyTimes(spans);
  const stretches: Stretch[] = [];
  let at = 0;
  for (let i = 1; i < instants.length; i++) {
    const [from, to] = [instants[i - 1]!, instants[i]!];
    while (at < busy.length && busy[at]!.to <= from) at++;
    const runs = at < busy.length && busy[at]!.from < to;
    const last = stretches.at(-1);
    // Ends of bars within one time of waiting cut nothing: it is folded as one.
    if (last && !runs && !last.busy) last.to = to;
    else stretches.push({ from, to, busy: runs, shown: 0 });
  }
  for (const one of stretches) one.shown = one.to - one.from;
  return stretches;
}

/** Joins the times in which something ran. */
function busyTimes(spans: readonly Span[]): { from: number; to: number }[] {
  const joined: { from: number; to: number }[] = [];
  for (const { from, to } of spans.filter((one) => one.busy).sort((a, b) => a.from - b.from)) {
    const last = joined.at(-1);
    if (last && from <= last.to) last.to = Math.max(last.to, to);
    else joined.push({ from, to });
  }
  return joined;
}

function shorten(stretches: readonly Stretch[]) {
  const busy = stretches.filter((one) => one.busy);
  const waits = stretches.filter((one) => !one.busy);
  const ran = shortenLong(busy.length ? busy : waits);
  if (!busy.length) return;
  const most = Math.min(ran * WAIT, level(waits, ran * WAITS));
  for (const one of waits) keep(one, one === stretches.at(-1) ? Math.max(ran * LAST, most) : most);
}

/** How long the longest ones may be, so that all of them together are not longer than this: short ones stay. */
function level(stretches: readonly Stretch[], together: number): number {
  const lengths = stretches.map((one) => one.shown).sort((a, b) => a - b);
  let left = together;
  for (const [i, length] of lengths.entries()) {
    const each = left / (lengths.length - i);
    if (length > each) return each;
    left -= length;
  }
  return Infinity;
}

/** Shortens those that are far longer than the middle one; returns how long all are then. */
function shortenLong(stretches: readonly Stretch[]): number {
  const lengths = stretches.map((one) => one.shown).sort((a, b) => a - b);
  const middle = lengths[(lengths.length - 1) >> 1]!;
  for (const one of stretches) if (one.shown > middle * LONG) one.shown = middle * SHOWN;
  return stretches.reduce((all, one) => all + one.shown, 0);
}

function keep(one: Stretch, most: number) {
  if (most < one.shown * WORTH) one.shown = most;
}

/** Where an instant stands between points that are in order. */
function between(points: readonly [number, number][], at: number): number {
  let low = 0;
  let high = points.length - 1;
  if (at <= points[0]![0]) return 0;
  if (at >= points[high]![0]) return 100;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (points[middle]![0] <= at) low = middle;
    else high = middle;
  }
  const [[from, left], [to, right]] = [points[low]!, points[high]!];
  return to === from ? right : left + ((at - from) / (to - from)) * (right - left);
}
