/** What can be done with a queue: pause it, and a menu of the rest. What matters asks once more. */
import type { Live, QueueView } from "@typed-flows/react";
import { useState } from "react";
import { Button } from "../../parts/Button";
import { copy } from "../../parts/copy";
import { Menu } from "../../parts/Menu";
import { useToast } from "../../parts/Toast";
import { useWhyNot } from "../../me";
import { jobsAt, navigate, withParams } from "../../route";
import { text } from "../../text";
import { DrainDialog } from "./DrainDialog";
import { PauseDialog } from "./PauseDialog";
import { RetryDialog } from "./RetryDialog";
import { useActing } from "../../parts/useActing";

const t = text.board;

export function QueueActs({ queue, old }: { queue: Live<QueueView>; old: boolean }) {
  const [open, setOpen] = useState<"pause" | "drain" | "retry" | null>(null);
  const whyNot = useWhyNot();
  const toast = useToast();
  const { busy, run } = useActing();
  const { flow, name } = queue;
  const stale = old ? t.notLive : null;
  const close = () => setOpen(null);
  const of = `flow:${flow} queue:${name}`;
  return (
    <span className="act">
      {queue.paused ? (
        <Button
          look="quiet"
          icon="play"
          label={t.resumeQueue(name)}
          busy={busy}
          off={stale ?? whyNot("queues.resume")}
          onPress={() => void run("queues.resume", { flow, queue: name }, t.resumed(name))}
        />
      ) : (
        <Button
          look="quiet"
          icon="pause"
          label={t.pause(name)}
          off={stale ?? whyNot("queues.pause")}
          popup="dialog"
          onPress={() => setOpen("pause")}
        />
      )}
      <Menu
        label={t.moreFor(name)}
        icon="more"
        items={[
          { text: t.jobsOf, icon: "jobs", onChoose: () => navigate(jobsAt(of)) },
          { text: t.limits, icon: "limits", onChoose: () => navigate(withParams("limits", { flow, queue: name })) },
          {
            text: t.seeWorkers,
            icon: "workers",
            onChoose: () => navigate(withParams("workers", { flow, queue: name })),
          },
          {
            text: t.retryFailed,
            icon: "retry",
            off: stale ?? whyNot("bulk.apply") ?? (queue.failed ? null : t.noFailed),
            onChoose: () => setOpen("retry"),
          },
          {
            text: t.runNow,
            icon: "play",
            off: stale ?? whyNot("jobs.promote") ?? (queue.delayed ? null : t.noDelayed),
            onChoose: () => navigate(jobsAt(`${of} state:delayed`)),
          },
          { text: t.drain, icon: "down", off: stale ?? whyNot("queues.drain"), onChoose: () => setOpen("drain") },
          {
            text: t.copyName,
            icon: "copy",
            onChoose: () => void copy(name).then((done) => toast(done ? text.parts.copied : text.parts.notCopied)),
          },
        ]}
      />
      {open === "pause" && <PauseDialog queue={queue} onClose={close} />}
      {open === "drain" && <DrainDialog queue={queue} onClose={close} />}
      {open === "retry" && <RetryDialog flow={flow} queue={name} onClose={close} />}
    </span>
  );
}
