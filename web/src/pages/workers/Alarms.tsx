/** What is wrong with processes, in sentences: the first of each kind by name. */
import { duration, time, useNow, msOf } from "../../format";
import { Button } from "../../parts/Button";
import { Sentence } from "../../parts/Sentence";
import * as text from "../../text";
import { jobsOf, shortName, type Worker } from "./order";

interface Props {
  all: readonly Worker[];
  off: string | null;
  onStacks: (worker: Worker) => void;
}

export function Alarms({ all, off, onStacks }: Props) {
  const blocked = all.filter((one) => one.state === "blocked");
  const silent = all.filter((one) => one.state === "silent");
  return (
    <>
      {blocked[0] && <Blocked worker={blocked[0]} more={blocked.length - 1} off={off} onStacks={onStacks} />}
      {silent[0] && <Silent worker={silent[0]} more={silent.length - 1} />}
    </>
  );
}

interface BlockedProps {
  worker: Worker;
  more: number;
  off: string | null;
  onStacks: (worker: Worker) => void;
}

function Blocked({ worker, more, off, onStacks }: BlockedProps) {
  const lasting = duration(useBlockedMs(worker));
  const until = worker.blocked?.until == null ? null : time(worker.blocked.until);
  const { fn, place } = whereOf(worker);
  return (
    <Sentence
      look="bad"
      head={<bdi>{text.workers.blocked(shortName(worker))}</bdi>}
      acts={
        <Button icon="code" off={off} onPress={() => onStacks(worker)}>
          {text.workers.showLine}
        </Button>
      }
    >
      {fn ? (
        <>
          <bdi className="mono">{fn}</bdi> {text.workers.in} <bdi className="mono">{place}</bdi>{" "}
          {text.workers.holds(lasting)}
        </>
      ) : (
        text.workers.heldBy(lasting)
      )}{" "}
      {text.workers.standStill(jobsOf(worker), until)}
      {more > 0 && ` ${text.workers.moreBlocked(more)}`}
    </Sentence>
  );
}

function Silent({ worker, more }: { worker: Worker; more: number }) {
  return (
    <Sentence icon="plug" head={<bdi>{text.workers.silent(shortName(worker))}</bdi>}>
      {text.workers.silentSince(time(worker.heard))}{" "}
      {text.workers.silentJobs(jobsOf(worker), worker.back == null ? null : time(worker.back))}
      {more > 0 && ` ${text.workers.moreSilent(more)}`}
    </Sentence>
  );
}

/** For how long its loop has stood still by now. */
export function useBlockedMs(worker: Worker): number {
  const now = useNow();
  const told = (worker.blocked?.seconds ?? 0) * 1000;
  return Math.round((told + Math.max(0, now - msOf(worker.heard))) / 1000) * 1000;
}

/** "score_wallet in app/access.py:212" in its two parts; of a long path, its end. */
export function whereOf(worker: Worker): { fn: string; place: string } {
  const where = worker.blocked?.where ?? "";
  const at = where.lastIndexOf(" in ");
  if (at < 0) return { fn: "", place: "" };
  const place = where.slice(at + 4).split("/");
  return { fn: where.slice(0, at).replace(/^.*<locals>\./, ""), place: place.slice(-2).join("/") };
}
