import type { GroupView, Live, QueueView } from "@typed-flows/react";
import { useEffect, useState } from "react";
import { useToast } from "../../parts/Toast";
import * as text from "../../text";
import { useActing } from "../../parts/useActing";

const t = text.limits;

interface Props {
  group: Live<GroupView>;
  queue: Live<QueueView>;
  called: string;
  off: string | null;
}

/** The share of a group: it is set with Enter, or when the field is left, and can be undone for some seconds. */
export function ShareInput({ group, queue, called, off }: Props) {
  const [typed, setTyped] = useState<string | null>(null);
  const { busy, run } = useActing();
  const toast = useToast();
  useEffect(() => setTyped(null), [group.share]);
  const said = typed ?? String(group.share);
  const share = Number(said);
  const bad = !(share >= 0.001 && share <= 1000);
  const put = (value: number) =>
    run("queues.set_share", { flow: queue.flow, queue: queue.name, group: String(group.group), share: value });
  const set = async () => {
    if (off || bad || share === group.share) return setTyped(null);
    const before = group.share;
    if (await put(share)) toast(t.shareSet(called, share), { lasts: 5_000, undo: () => void put(before) });
    else setTyped(null);
  };
  return (
    <input
      className={`inp share ${bad ? "bad" : ""}`}
      aria-label={t.shareOf(called)}
      aria-invalid={bad}
      inputMode="decimal"
      readOnly={off !== null || busy}
      title={off ?? (bad ? t.badShare : undefined)}
      value={said}
      onChange={(event) => setTyped(event.target.value)}
      onBlur={() => typed !== null && void set()}
      onKeyDown={(event) => {
        if (event.key === "Enter") event.currentTarget.blur();
        if (event.key === "Escape") setTyped(null);
      }}
    />
  );
}
