/** Holds a queue, or one of its groups, for a time; the time is asked first. */
import type { Live, QueueView } from "@typed-flows/react";
import { useState } from "react";
import { useWhyNot } from "../../me";
import { Button } from "../../parts/Button";
import { Dialog } from "../../parts/Dialog";
import { Segments } from "../../parts/Segments";
import * as text from "../../text";
import { useActing } from "../../parts/useActing";

const t = text.limits;
const times = ["1m", "5m", "1h", "4h"] as const;

export function HoldButton({ queue, old }: { queue: Live<QueueView>; old: boolean }) {
  const [open, setOpen] = useState(false);
  const whyNot = useWhyNot();
  return (
    <>
      <Button icon="held" popup="dialog" off={old ? t.notLive : whyNot("queues.hold")} onPress={() => setOpen(true)}>
        {t.hold}
      </Button>
      {open && <HoldDialog queue={queue} what={queue.name} onClose={() => setOpen(false)} />}
    </>
  );
}

interface Props {
  queue: Live<QueueView>;
  /** What is held, as it is called. */
  what: string;
  group?: string;
  onClose: () => void;
}

export function HoldDialog({ queue, what, group, onClose }: Props) {
  const [lasting, setLasting] = useState<(typeof times)[number]>("5m");
  const { busy, run } = useActing();
  const hold = async () => {
    const params = { flow: queue.flow, queue: queue.name, lasting, ...(group !== undefined && { group }) };
    if (await run("queues.hold", params, t.held(what))) onClose();
  };
  return (
    <Dialog
      title={t.holdTitle(what)}
      onClose={onClose}
      acts={
        <>
          <Button onPress={onClose}>{t.cancel}</Button>
          <Button look="pri" icon="held" busy={busy} onPress={() => void hold()}>
            {t.holdAct}
          </Button>
        </>
      }
    >
      <p>{t.holdWhat}</p>
      <div className="gap">
        <Segments
          label={t.holdTitle(what)}
          value={lasting}
          options={times.map((one) => [one, t.holdFor[one]] as const)}
          onChange={setLasting}
        />
      </div>
    </Dialog>
  );
}
