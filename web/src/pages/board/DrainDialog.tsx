import type { Live, QueueView } from "@typed-flows/react";
import { Button } from "../../parts/Button";
import { Dialog } from "../../parts/Dialog";
import { useToast } from "../../parts/Toast";
import * as text from "../../text";
import { useActing } from "../../parts/useActing";

const t = text.board;

/** Says what waiting for a queue means, and then waits: the page goes on meanwhile. */
export function DrainDialog({ queue, onClose }: { queue: Live<QueueView>; onClose: () => void }) {
  const toast = useToast();
  const { run } = useActing();
  const drain = () => {
    toast(t.drains(queue.name));
    void run("queues.drain", { flow: queue.flow, queue: queue.name, timeout: "10m" }, t.drained(queue.name));
    onClose();
  };
  return (
    <Dialog
      title={t.drainTitle(queue.name)}
      onClose={onClose}
      acts={
        <>
          <Button onPress={onClose}>{t.cancel}</Button>
          <Button look="pri" onPress={drain}>
            {t.drainAct}
          </Button>
        </>
      }
    >
      <p>{t.drainWhat}</p>
    </Dialog>
  );
}
