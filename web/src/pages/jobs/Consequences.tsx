/** What an action on many jobs brings about, and what speaks against it. */
import { useTopic, type FlowView, type Live, type QueueView, type Queues } from "@typed-flows/react";
import { useId, type ReactNode } from "react";
import { duration, rate, seconds } from "../../format";
import { Icon } from "../../parts/Icon";
import * as text from "../../text";
import type { Verb } from "../../text/en/jobs";
import type { More } from "./useBulk";
import type { Plan } from "./usePlan";

const said = text.jobs.preview;

interface Props {
  verb: Verb;
  plan: Plan;
  flow: FlowView;
  more: More;
  onMore: (more: More) => void;
}

export function Consequences({ verb, plan, flow, more, onMore }: Props) {
  const queue = verb === "move" ? more.to : verb === "retry" ? plan.parts[0]?.queue : undefined;
  const { state } = useTopic<Queues>(queue ? `queue/${queue}` : null);
  const now = state?.queues.find((one) => one.name === queue);
  const kept = flow.kept["cancelled"];
  return (
    <div className="sec">
      <h3>{said.whatWillHappen}</h3>
      {verb === "cancel" && (
        <p>
          {said.cancel} {kept ? said.kept(seconds(kept)) : null}
        </p>
      )}
      {verb === "delete" && <p>{said.delete}</p>}
      {verb === "move" && <Choice flow={flow} more={more} onMore={onMore} />}
      {verb === "retry" && (
        <p>
          {said.retry} {now && <Turn queue={now} />}
        </p>
      )}
      {verb === "move" && now && (
        <p>
          <Turn queue={now} />
        </p>
      )}
      {verb === "cancel" && <Reason more={more} onMore={onMore} />}
      {now && <Against queue={now} verb={verb} />}
    </div>
  );
}

/** A sentence of parts, of which those at odd places are names. */
export function Named({ parts, className = "mono" }: { parts: readonly string[]; className?: string }): ReactNode {
  return parts.map((part, n) =>
    n % 2 ? (
      <bdi key={n} className={className}>
        {part}
      </bdi>
    ) : (
      part
    ),
  );
}

function Turn({ queue }: { queue: Live<QueueView> }) {
  const waits = <Named parts={said.retryQueue(queue.waiting, queue.name)} />;
  if (!queue.waiting || !queue.left) return waits;
  return (
    <>
      {waits} {said.retryBegins(rate(queue.left), duration((queue.waiting / queue.left) * 60_000))}
    </>
  );
}

function Against({ queue, verb }: { queue: Live<QueueView>; verb: Verb }) {
  const told = queue.unserved
    ? said.unserved(queue.name)
    : queue.paused
      ? said.pausedQueue(queue.name)
      : verb === "retry" && queue.failing
        ? said.failing(queue.name, rate(queue.failing))
        : null;
  if (!told) return null;
  return (
    <p className="warn against">
      <Icon name="warning" />
      <span>
        <Named parts={told} />
      </span>
    </p>
  );
}

function Choice({ flow, more, onMore }: Omit<Props, "verb" | "plan">) {
  const id = useId();
  return (
    <>
      <p>{said.move}</p>
      <label htmlFor={id}>{said.to}</label>
      <select
        id={id}
        className="inp"
        value={more.to ?? ""}
        onChange={(event) => onMore({ ...more, to: event.target.value })}
      >
        <option value="" />
        {flow.declared
          .filter((queue) => queue.parent === null)
          .map((queue) => (
            <option key={queue.name}>{queue.name}</option>
          ))}
      </select>
    </>
  );
}

function Reason({ more, onMore }: Pick<Props, "more" | "onMore">) {
  const id = useId();
  return (
    <>
      <label htmlFor={id}>{said.reason}</label>
      <input
        id={id}
        className="inp"
        maxLength={1000}
        value={more.reason ?? ""}
        onChange={(event) => onMore(event.target.value ? { ...more, reason: event.target.value } : {})}
      />
    </>
  );
}
