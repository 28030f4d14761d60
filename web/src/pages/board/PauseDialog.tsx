import type { Live, QueueView } from "@typed-flows/react";
import { useState } from "react";
import { Button } from "../../parts/Button";
import { Dialog } from "../../parts/Dialog";
import { Segments } from "../../parts/Segments";
import * as text from "../../text";
import { useActing } from "../../parts/useActing";

const t = text.board;
const times = ["", "15m", "1h", "4h"] as const;

/** Asks for how long, and why, before a queue is paused. */
export function PauseDialog({ queue, onClose }: { queue: Live<QueueView>; onClose: () => void }) {
  const [lasting, setLasting] = useState<(typeof times)[number]>("");
  const [note, setNote] = useState("");
  const { busy, run } = useActing();
  const pause = async () => {
    const params = { flow: queue.flow, queue: queue.name, note, ...(lasting && { lasting }) };
    if (await run("queues.pause", params, t.paused(queue.name))) onClose();
  };
  return (
    <Dialog
      title={t.pause(queue.name)}
      onClose={onClose}
      acts={
        <>
          <Button onPress={onClose}>{t.cancel}</Button>
          <Button look="pri" icon="pause" busy={busy} onPress={() => void pause()}>
            {t.pauseAct}
          </Button>
        </>
      }
    >
      <p>{t.pauseWhat}</p>
      <div className="gap">
        <span>{t.until}</span>
        <Segments
          label={t.until}
          value={lasting}
          options={times.map((one) => [one, one ? t.lasting[one] : t.untilResumed] as const)}
          onChange={setLasting}
        />
      </div>
      <label className="stack">
        <span className="sub">{t.note}</span>
        <input className="inp" value={note} maxLength={1000} onChange={(event) => setNote(event.target.value)} />
      </label>
    </Dialog>
  );
}
