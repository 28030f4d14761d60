/** One limit: how much of it is used, when the next may start, who has set it, and its change. */
import type { ActionView, GroupView, Live, LimitView, QueueView } from "@typed-flows/react";
import { useState } from "react";
import { count, msOf, time } from "../../format";
import { useWhyNot } from "../../me";
import { Button } from "../../parts/Button";
import { State } from "../../parts/State";
import type { Shown } from "../../parts/Watched";
import { setParams } from "../../route";
import * as text from "../../text";
import { LiveEdit } from "./LiveEdit";
import { groupName, isShared, limitName } from "./names";
import { hasOwn } from "./plan";
import { UseChart } from "./UseChart";
import { useSetting } from "./useSetting";

const t = text.limits;

export interface LimitProps {
  limit: Live<LimitView>;
  queue: Live<QueueView>;
  by: string;
  groups: readonly Live<GroupView>[];
  /** The other queues that have it too. */
  shared: readonly string[];
  changes: readonly ActionView[];
  editing: boolean;
  shown: Shown;
}

export function LimitCard(props: LimitProps) {
  const { limit, queue, by, groups, shared, changes, editing, shown } = props;
  const [wanted, setWanted] = useState<number | null>(null);
  const whyNot = useWhyNot();
  const setting = useSetting(queue, limit, limitName(limit, queue.name, by));
  const operation = limit.kind === "slots" ? "queues.set_concurrency" : "queues.set_limit";
  const off = shown.old ? t.notLive : whyNot(operation);
  const name = limitName(limit, queue.name, by);
  const others = isShared(limit, queue.name) ? shared : [];
  const full = !limit.per_group && limit.free === 0;
  return (
    <section className="card limit" aria-label={name}>
      <div className="hd">
        <h2>
          <bdi>{name}</bdi>
        </h2>
        {others.length > 0 && (
          <span className="chip">
            {t.sharedBy} <b>{[queue.name, ...others].slice(0, 4).join(" ")}</b>
          </span>
        )}
        {limit.live !== limit.declared && (
          <>
            <span className="chip">
              {t.live} <b>{count(limit.live)}</b>
            </span>
            <span className="chip warn">
              {t.declared} {count(limit.declared)}
            </span>
          </>
        )}
        <State shape={full ? "full" : "ok"} word={full ? t.full : t.inForce} />
        <span className="dim right">{nextOf(limit, shown.at)}</span>
      </div>
      <div className="bd">
        <div className="gap big">
          <b>{count(limit.live)}</b>
          <span className="dim">{whatOf(limit, queue)}</span>
        </div>
        {limit.per_group ? (
          <Parked limit={limit} queue={queue} by={by} groups={groups} at={shown.at} />
        ) : (
          <Used limit={limit} full={full} />
        )}
        {!limit.per_group && limit.kind === "limiter" && (
          <UseChart used={limit.used ?? 0} live={limit.live} wanted={editing ? wanted : null} at={shown.at} />
        )}
        <div className="gap">
          <span className="sub">{setByOf(props)}</span>
          <span className="gap right">
            {limit.live !== limit.declared && (
              <Button look="small" icon="back" off={off} busy={setting.busy} onPress={() => void setting.asDeclared()}>
                {t.asDeclared}
              </Button>
            )}
            {!editing && (
              <Button look="small" icon="edit" off={off} onPress={() => setParams({ limit: limit.id })}>
                {t.change}
              </Button>
            )}
          </span>
        </div>
      </div>
      {editing && (
        <LiveEdit
          {...props}
          queues={others.length + 1}
          off={off}
          setting={setting}
          onWanted={setWanted}
          onClose={() => {
            setWanted(null);
            setParams({ limit: null });
          }}
        />
      )}
    </section>
  );

  /** Who has made it what it is. */
  function setByOf({ limit, queue }: LimitProps): string {
    const here = (one: ActionView) => limit.kind === "limiter" || one.given["queue"] === queue.name;
    const found = changes.find((one) => here(one) && one.changed.some((change) => change.name === limit.id));
    const change = found?.changed.find((one) => one.name === limit.id);
    if (found && change && change.now === limit.live)
      return t.setBy(found.caller, time(found.at), change.was, change.now);
    return limit.live === limit.declared ? t.declaredIs(limit.declared, limit.interval ?? null) : t.differs;
  }
}

function whatOf(limit: Live<LimitView>, queue: Live<QueueView>): string {
  if (limit.kind === "slots") return limit.per_group ? t.overWorkersEach(queue.groups) : t.overWorkers;
  const interval = limit.interval ?? 1;
  return limit.per_group ? t.startsInEach(interval, queue.groups) : t.startsIn(interval, limit.smooth);
}

function nextOf(limit: Live<LimitView>, at: number): string {
  if (limit.per_group) return "";
  if (limit.kind === "slots") return limit.free === 0 ? t.nextSlot : t.mayStart;
  if (limit.ready == null) return t.mayStart;
  const ms = msOf(limit.ready) - at;
  return ms < 1 ? t.nextTokenNow : t.nextToken(ms);
}

function Used({ limit, full }: { limit: Live<LimitView>; full: boolean }) {
  const used = limit.used ?? 0;
  return (
    <div className="use">
      <div className="txt">
        <span>
          <b>{count(used)}</b>
          {t.used(limit.live, limit.kind)}
        </span>
        <span>{t.free(limit.free ?? 0)}</span>
      </div>
      <div className="trk" role="img" aria-label={t.usedLabel(used, limit.live)}>
        <i
          className={full ? "full" : ""}
          style={{ width: `${Math.min(100, (100 * used) / Math.max(1, limit.live))}%` }}
        />
      </div>
    </div>
  );
}

interface ParkedProps extends Pick<LimitProps, "limit" | "queue" | "by" | "groups"> {
  at: number;
}

function Parked({ limit, queue, by, groups, at }: ParkedProps) {
  const all = Math.max(1, queue.groups, groups.length);
  // Where its groups are known, those are told that this limit keeps, and no other one.
  const kept = groups.filter((one) => one.parked && its(one, limit) !== null);
  const parked = groups.length ? kept.length : Math.min(queue.parked, queue.groups);
  const own = groups.filter((one) => hasOwn(one, limit));
  const rest = Math.max(0, queue.groups - parked);
  const next = kept
    .filter((one) => one.until != null && !one.held)
    .toSorted((a, b) => msOf(a.until ?? 0) - msOf(b.until ?? 0))[0];
  return (
    <>
      <div className="use">
        <div className="txt">
          <span>
            <b>{count(parked)}</b>
            {t.atLimitNow(parked)}
          </span>
          <span>{t.goOn(rest)}</span>
        </div>
        <div className="trk" role="img" aria-label={`${count(parked)}${t.atLimitNow(parked)}`}>
          <i className="full" style={{ width: `${(100 * parked) / all}%` }} />
          <i className="rest" style={{ width: `${(100 * rest) / all}%` }} />
        </div>
      </div>
      {own.length > 0 && (
        <div className="gap">
          {own.slice(0, 3).map((one) => (
            <span key={groupName(one)} className="chip">
              <bdi>
                {by} {groupName(one)}
              </bdi>{" "}
              <b>{ownOf(one, limit)}</b>
            </span>
          ))}
          <span className="dim">{t.ownOf(own.length)}</span>
        </div>
      )}
      <p className="sub">
        {t.waitApart} {next && t.nextFreed(Math.max(0, msOf(next.until ?? 0) - at), `${by} ${groupName(next)}`)}
      </p>
    </>
  );
}

/** What of a group has used up this limit; null where it has some left. */
function its(group: Live<GroupView>, limit: Live<LimitView>) {
  const found = group.limits.find((one) => one.id === limit.id);
  return found?.used != null && found.used >= found.live ? found : null;
}

function ownOf(group: Live<GroupView>, limit: Live<LimitView>): string {
  const its = group.limits.find((one) => one.id === limit.id);
  if (!its) return "";
  return its.interval == null ? t.ownSlots(its.live) : t.ownTokens(its.live, its.interval);
}
