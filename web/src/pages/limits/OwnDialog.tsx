/** Gives one group tokens and slots of its own, or takes them back. */
import type { GroupView, Live, LimitView, QueueView } from "@typed-flows/react";
import { useState } from "react";
import { Button } from "../../parts/Button";
import { Dialog } from "../../parts/Dialog";
import * as text from "../../text";
import { hasOwn } from "./plan";
import { read, typed, whole } from "./spans";
import { useSetting } from "./useSetting";

const t = text.limits;

interface Props {
  queue: Live<QueueView>;
  group: Live<GroupView>;
  called: string;
  onClose: () => void;
}

export function OwnDialog({ queue, group, called, onClose }: Props) {
  return (
    <Dialog title={t.own(called)} onClose={onClose} acts={<Button onPress={onClose}>{text.parts.close}</Button>}>
      {queue.limits
        .filter((limit) => limit.per_group)
        .map((limit) => (
          <Own key={limit.id} queue={queue} group={group} limit={limit} called={called} />
        ))}
    </Dialog>
  );
}

function Own({ queue, group, limit, called }: Omit<Props, "onClose"> & { limit: Live<LimitView> }) {
  const its = group.limits.find((one) => one.id === limit.id) ?? limit;
  const [number, setNumber] = useState(String(its.live));
  const [span, setSpan] = useState(its.interval == null ? "" : typed(its.interval));
  const setting = useSetting(queue, limit, called);
  const now = whole(number);
  const interval = limit.interval == null ? null : read(span);
  const bad = now === null ? t.edit.badNumber : limit.interval != null && interval === null ? t.edit.badInterval : null;
  const own = hasOwn(group, limit);
  const before = own ? { live: its.live, interval: its.interval ?? null } : null;
  const value = String(group.group);
  return (
    <div className="stack">
      <div className="gap">
        <input
          className={`inp number ${now === null ? "bad" : ""}`}
          aria-label={t.edit.number}
          inputMode="numeric"
          value={number}
          onChange={(event) => setNumber(event.target.value)}
        />
        {limit.interval == null ? (
          <span>{t.edit.atOnce}</span>
        ) : (
          <>
            <span>{t.edit.startsInAny}</span>
            <input
              className={`inp number ${interval === null ? "bad" : ""}`}
              aria-label={t.edit.interval}
              value={span}
              onChange={(event) => setSpan(event.target.value)}
            />
          </>
        )}
        <Button
          look="pri"
          off={bad}
          busy={setting.busy}
          onPress={() => void (now !== null && setting.setGroup({ live: now, interval }, before, value))}
        >
          {t.edit.set(now ?? its.live, interval === null ? "" : typed(interval))}
        </Button>
        {own && (
          <Button busy={setting.busy} onPress={() => void setting.setGroup(null, before, value)}>
            {t.takeOwn}
          </Button>
        )}
      </div>
      {bad && <p className="failed">{bad}</p>}
    </div>
  );
}
