/** One group: its state and why, its share, what it got, and what can be done. */
import type { GroupView, Live, LimitView, QueueView } from "@typed-flows/react";
import { useState } from "react";
import { count, msOf, seconds, time } from "../../format";
import { useWhyNot } from "../../me";
import { Button } from "../../parts/Button";
import { Menu } from "../../parts/Menu";
import { State } from "../../parts/State";
import type { Shown } from "../../parts/Watched";
import { jobsAt, navigate } from "../../route";
import * as text from "../../text";
import { useActing } from "../../parts/useActing";
import { HoldDialog } from "./HoldButton";
import { groupName } from "./names";
import { OwnDialog } from "./OwnDialog";
import { hasOwn } from "./plan";
import { ShareInput } from "./ShareInput";
import type { Due } from "./shares";

const t = text.limits;

interface Props {
  group: Live<GroupView>;
  queue: Live<QueueView>;
  by: string;
  /** The limiter that each group has for itself. */
  limiter: Live<LimitView> | undefined;
  due: Due | undefined;
  /** Whether it is known what it has taken. */
  counted: boolean;
  shown: Shown;
}

export function GroupRow({ group, queue, by, limiter, due, counted, shown }: Props) {
  const [open, setOpen] = useState<"hold" | "own" | null>(null);
  const whyNot = useWhyNot();
  const { busy, run } = useActing();
  const name = groupName(group);
  const called = `${by} ${name}`;
  const stale = shown.old ? t.notLive : group.group == null ? t.hidden : null;
  const tokens = group.limits.find((one) => one.id === limiter?.id);
  const slots = group.limits.find((one) => one.kind === "slots");
  const told = !due ? "" : counted ? t.gotDue(due.got, due.due) : t.duePart(due.due);
  const why = whyOf(group, queue);
  const { flow, name: queueName } = queue;
  return (
    <tr className={group.held ? "hold" : ""}>
      <th scope="row">
        <span className="lk">
          {by} <bdi className="strong">{name}</bdi>
        </span>
        {why && <div className="dim">{why}</div>}
      </th>
      <td>
        <State {...stateOf(group)} />
      </td>
      <td className="num">
        <ShareInput group={group} queue={queue} called={called} off={stale ?? whyNot("queues.set_share")} />
      </td>
      <td>
        {due && (
          <div className="gap got">
            <span className="sharebar" role="img" aria-label={told} title={told}>
              {counted && <i style={{ width: `${100 * due.gotBar}%` }} />}
              <i className="due" style={{ width: `${100 * due.dueBar}%` }} />
            </span>
            <b className="num">{counted ? count(due.taken) : t.part(due.due)}</b>
          </div>
        )}
      </td>
      <td className="num">{count(group.waiting)}</td>
      <td className="num">{group.in_flight == null ? t.none : t.of(group.in_flight, slots?.live ?? null)}</td>
      {limiter && <td className="num">{tokens?.used == null ? t.none : t.of(tokens.used, tokens.live)}</td>}
      <td className="num">{group.oldest == null ? t.none : seconds(group.oldest)}</td>
      <td className="num">{mayStart(group, shown.at)}</td>
      <td className="num nowrap">
        {group.held ? (
          <Button
            look="small"
            icon="play"
            busy={busy}
            off={stale ?? whyNot("queues.hold")}
            onPress={() =>
              void run(
                "queues.hold",
                { flow, queue: queueName, lasting: 0, group: String(group.group) },
                t.freed(called),
              )
            }
          >
            {t.freeNow}
          </Button>
        ) : (
          <Button
            look="quiet"
            icon="held"
            label={t.holdGroup(called)}
            popup="dialog"
            off={stale ?? whyNot("queues.hold")}
            onPress={() => setOpen("hold")}
          />
        )}
        <Menu
          label={t.moreFor(called)}
          icon="more"
          items={[
            {
              text: t.jobsOf,
              icon: "jobs",
              off: group.group == null ? t.hidden : null,
              onChoose: () => navigate(jobsAt(`flow:${flow} queue:${queueName} ${by}:${quoted(name)}`)),
            },
            {
              text: t.giveOwn,
              icon: "limits",
              off: stale ?? whyNot("queues.set_limit") ?? (group.limits.length ? null : t.noneOf(called)),
              onChoose: () => setOpen("own"),
            },
          ]}
        />
        {open === "hold" && (
          <HoldDialog queue={queue} what={called} group={String(group.group)} onClose={() => setOpen(null)} />
        )}
        {open === "own" && <OwnDialog queue={queue} group={group} called={called} onClose={() => setOpen(null)} />}
      </td>
    </tr>
  );
}

/** A value with blanks or signs of a query is put in quotes. */
const quoted = (value: string) => (/^[\w.@-]+$/.test(value) ? value : `"${value.replace(/["\\]/g, "\\$&")}"`);

function stateOf(group: Live<GroupView>): { shape: "held" | "parked" | "ok" | "running" | "inactive"; word?: string } {
  if (group.held) return { shape: "held" };
  if (group.parked) return { shape: "parked", word: t.atLimit };
  if (group.waiting) return { shape: "ok", word: t.ready };
  return group.in_flight ? { shape: "running", word: t.runs } : { shape: "inactive", word: t.idle };
}

/** Why nothing more of it starts, or what it has of its own. */
function whyOf(group: Live<GroupView>, queue: Live<QueueView>): string {
  if (group.held && group.until != null) return t.heldUntil(time(group.until));
  if (group.parked) {
    for (const one of group.limits) {
      if (one.used == null || one.used < one.live) continue;
      return one.kind === "slots" ? t.slotsBusy(one.live) : t.usedUp(one.live, one.interval ?? 1);
    }
  }
  const own = queue.limits
    .filter((limit) => limit.per_group && hasOwn(group, limit))
    .flatMap((limit) => group.limits.filter((one) => one.id === limit.id))
    .map((one) => (one.interval == null ? t.ownSlots(one.live) : t.ownTokens(one.live, one.interval)));
  return own.length ? t.own(own.join(", ")) : "";
}

function mayStart(group: Live<GroupView>, at: number) {
  if (group.until != null) return <b className="warn">{t.in(Math.max(0, msOf(group.until) - at))}</b>;
  if (group.parked) return <b className="warn">{t.whenOneEnds}</b>;
  return group.waiting ? <b>{t.next}</b> : t.none;
}
