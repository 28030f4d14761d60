/** What is wrong with a flow, the most urgent first, said in the page's own words. */
import type { Finding, Live } from "@typed-flows/react";
import { time } from "../../format";
import * as text from "../../text";
import { shortName } from "./travel";

const t = text.board.trouble;
export type Trouble = Live<Finding>;

/** In this order; within a kind, where more jobs wait comes first. */
const order = [
  ...["conflict", "memory", "policy", "unserved", "orphans", "stuck", "oldest", "blocked"],
  ...["paused", "held", "limited", "behind", "failing", "dead", "repairs", "declared"],
];

/** Of findings, those to be said: what is wrong, and of the server only what is urgent. */
export function troubles(findings: readonly Trouble[]): Trouble[] {
  const rank = (one: Trouble) => (one.level === "wrong" ? 0 : 100) + (order.indexOf(one.what) + 1 || 50);
  return findings
    .filter((one) => one.level === "wrong" || (one.level === "warning" && (one.flow != null || one.what === "memory")))
    .toSorted((a, b) => rank(a) - rank(b) || number(b, "waiting") - number(a, "waiting"));
}

export function number(of: Trouble, name: string): number {
  const value = of.facts[name];
  return typeof value === "number" ? value : 0;
}
const maybe = (of: Trouble, name: string) => (typeof of.facts[name] === "number" ? number(of, name) : null);
export function word(of: Trouble, name: string): string {
  const value = of.facts[name];
  return typeof value === "string" ? value : "";
}
const instant = (of: Trouble, name: string) => (word(of, name) ? time(word(of, name)) : null);

export interface Said {
  head: string;
  more: string;
}

/** A finding as two sentences: what it is, and what is to be known of it. `by`: who has done it, where that is known. */
export function said(of: Trouble, by: string | null): Said {
  const queue = shortName(of.queue ?? "");
  const there = number(of, "waiting") + number(of, "processing") + number(of, "delayed");
  switch (of.what) {
    case "unserved":
      return { head: t.unserved(queue), more: t.unservedMore(instant(of, "heard"), there) };
    case "orphans":
      return { head: t.orphans(queue), more: t.orphansMore(there) };
    case "stuck":
      return { head: t.stuck(queue), more: t.stuckMore(number(of, "waiting")) };
    case "paused":
      return {
        head: t.paused(queue),
        more: t.pausedMore(by, instant(of, "at"), instant(of, "until"), word(of, "note"), number(of, "waiting")),
      };
    case "held":
      return { head: t.held(queue), more: t.heldMore(instant(of, "until") ?? "", number(of, "waiting")) };
    case "limited":
      return { head: t.limited(queue), more: [limitOf(of), pace(of), parked(of)].filter(Boolean).join(" ") };
    case "behind":
      return { head: t.behind(queue), more: [pace(of), t.allBusy(number(of, "slots"))].join(" ") };
    case "failing":
      return {
        head: t.failing(queue),
        more: t.failingMore(number(of, "failing"), maybe(of, "left"), number(of, "failed")),
      };
    case "oldest":
      return { head: t.oldest(queue), more: t.oldestMore(number(of, "oldest")) };
    case "blocked":
      return {
        head: t.blocked(word(of, "process")),
        more: t.blockedMore(number(of, "lag"), names(of.facts["queues"])),
      };
    case "dead":
      return {
        head: t.dead(word(of, "process")),
        more: t.deadMore(instant(of, "heard") ?? "", number(of, "running")),
      };
    default:
      return { head: `${of.sentence.charAt(0).toUpperCase()}${of.sentence.slice(1)}.`, more: "" };
  }
}

function limitOf(of: Trouble): string {
  const group = word(of, "group");
  const said = text.board.limit;
  const perGroup = of.facts["per_group"] === true;
  const live = number(of, "live");
  const what =
    of.facts["kind"] === "slots" ? said.slots(live, false) : said.limiter(live, number(of, "interval"), false);
  return `${what}${perGroup ? t.per(group) : ""}:`;
}

const parked = (of: Trouble) => (number(of, "parked") > 0 ? t.parked(number(of, "parked")) : "");

/** How many come and leave, and what follows from that. */
function pace(of: Trouble): string {
  const came = maybe(of, "came");
  const left = maybe(of, "left");
  const waiting = number(of, "waiting");
  const told = t.pace(waiting, came, left);
  if (came === null || left === null) return told;
  const grows = came - left;
  if (grows >= Math.max(1, left * 0.02)) return `${told} ${t.grows(grows)}`;
  if (-grows >= Math.max(1, left * 0.02)) return `${told} ${t.shrinks((waiting / -grows) * 60_000)}`;
  return `${told} ${t.stays}`;
}

const names = (value: unknown) => (Array.isArray(value) ? value.slice(0, 3).map(String).join(", ") : "");
