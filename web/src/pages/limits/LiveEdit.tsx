/** Changes a limit while workers run: it says first what that changes, and what not. */
import { useState } from "react";
import { Button } from "../../parts/Button";
import * as text from "../../text";
import type { LimitProps } from "./LimitCard";
import { plan } from "./plan";
import { read, typed, whole } from "./spans";
import type { useSetting } from "./useSetting";

const t = text.limits.edit;

interface Props extends LimitProps {
  queues: number;
  off: string | null;
  setting: ReturnType<typeof useSetting>;
  /** Which number is typed, or null. */
  onWanted: (number: number | null) => void;
  onClose: () => void;
}

export function LiveEdit(props: Props) {
  const { limit, queue, by, groups, queues, off, setting, onWanted, onClose } = props;
  const [number, setNumber] = useState(String(limit.live));
  const [span, setSpan] = useState(limit.interval == null ? "" : typed(limit.interval));
  const now = whole(number);
  const interval = limit.interval == null ? null : read(span);
  const bad = now === null ? t.badNumber : limit.interval != null && interval === null ? t.badInterval : null;
  const isSame = now === limit.live && interval === (limit.interval ?? null);
  const same = isSame ? t.same(now, interval === null ? "" : typed(interval)) : null;
  const others = queue.limits.filter((one) => one.id !== limit.id);
  const set = async () => {
    if (now !== null && (await setting.set({ live: now, interval }))) onClose();
  };
  return (
    <form
      className="edit"
      aria-label={t.title}
      onSubmit={(event) => {
        event.preventDefault();
        if (!bad && !same && !off) void set();
      }}
    >
      <div className="gap strong">
        {t.title}
        <span className="dim right plain">{text.limits.declaredIs(limit.declared, limit.interval ?? null)}</span>
      </div>
      <div className="gap">
        <input
          className={`inp number ${now === null ? "bad" : ""}`}
          aria-label={t.number}
          aria-invalid={now === null}
          inputMode="numeric"
          value={number}
          autoFocus
          onChange={(event) => {
            setNumber(event.target.value);
            onWanted(whole(event.target.value));
          }}
        />
        {limit.interval == null ? (
          <span>{t.atOnce}</span>
        ) : (
          <>
            <span>{t.startsInAny}</span>
            <input
              className={`inp number ${interval === null ? "bad" : ""}`}
              aria-label={t.interval}
              aria-invalid={interval === null}
              value={span}
              onChange={(event) => setSpan(event.target.value)}
            />
          </>
        )}
      </div>
      <p className={bad ? "failed" : "sub"} role="status">
        {bad ?? same ?? plan({ limit, now: now ?? 1, interval, waiting: queue.waiting, groups, by, queues, others })}
      </p>
      <div className="gap">
        <Button look="pri" off={off ?? bad ?? same} busy={setting.busy} onPress={() => void set()}>
          {t.set(now ?? limit.live, interval === null ? "" : typed(interval))}
        </Button>
        <Button onPress={onClose}>{text.limits.cancel}</Button>
        <input type="submit" hidden />
        <span className="dim right">{t.undoFor}</span>
      </div>
    </form>
  );
}
