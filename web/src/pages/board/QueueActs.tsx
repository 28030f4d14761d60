/** What can be done with a queue: pause it, and a menu of the rest. What matters asks once more. */
import type { Live, QueueView } from "@typed-flows/react";
import { useState } from "react";
import { useCommands } from "../../keys/commands";
import { table } from "../../keys/table";
import { Button } from "../../parts/Button";
import { copy } from "../../parts/copy";
import { Menu } from "../../parts/Menu";
import { useToast } from "../../parts/Toast";
import { useWhyNot } from "../../me";
import { jobsAt, navigate, withParams } from "../../route";
import * as text from "../../text";
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
  const offs = {
    pause: stale ?? whyNot("queues.pause"),
    resume: stale ?? whyNot("queues.resume"),
    drain: stale ?? whyNot("queues.drain"),
    retry: stale ?? whyNot("bulk.apply") ?? (queue.failed ? null : t.noFailed),
  };
  const resume = () => void run("queues.resume", { flow, queue: name }, t.resumed(name));
  useCommands([
    queue.paused
      ? { title: t.resumeQueue(name), icon: "play", off: offs.resume, run: resume }
      : { title: t.pause(name), icon: "pause", off: offs.pause, run: () => setOpen("pause") },
    { title: t.retryFailedOf(name), icon: "retry", off: offs.retry, run: () => setOpen("retry") },
    { title: t.drainTitle(name), icon: "down", off: offs.drain, run: () => setOpen("drain") },
  ]);
  return (
    <span className="act">
      {queue.paused ? (
        <Button
          look="quiet"
          icon="play"
          shortcut={table.pause.keys}
          label={t.resumeQueue(name)}
          busy={busy}
          off={offs.resume}
          onPress={resume}
        />
      ) : (
        <Button
          look="quiet"
          icon="pause"
          shortcut={table.pause.keys}
          label={t.pause(name)}
          off={offs.pause}
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
            off: offs.retry,
            onChoose: () => setOpen("retry"),
          },
          {
            text: t.runNow,
            icon: "play",
            off: stale ?? whyNot("jobs.promote") ?? (queue.delayed ? null : t.noDelayed),
            onChoose: () => navigate(jobsAt(`${of} state:delayed`)),
          },
          { text: t.drain, icon: "down", off: offs.drain, onChoose: () => setOpen("drain") },
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
