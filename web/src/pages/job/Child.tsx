/** A child of a job, on one line. */
import type { ChildRow, Live } from "@typed-flows/react";
import { duration, msOf, percent, seconds, useNow } from "../../format";
import { Link } from "../../parts/Link";
import { Mark } from "../../parts/State";
import { jobAt } from "../../route";
import * as text from "../../text";

const said = text.job.children;
const ENDED = ["done", "failed", "cancelled"];

/** "access-check:role" and its id → "role 744e…535d": children that were made at once have the same beginnings. */
export const nameOf = (child: Live<ChildRow>) => `${child.queue.split(":").at(-1)} ${tailOf(child.id)}`;
const tailOf = (id: string) => `${id.slice(14, 18)}…${id.slice(-4)}`;

export function Child({ of }: { of: Live<ChildRow> }) {
  const ended = ENDED.includes(of.state);
  return (
    <Link to={jobAt(of.flow, of.id)} className="tn in2" title={of.id}>
      <span className="nm">
        <Mark shape={of.state} />
        <bdi className="mono">{`${tailOf(of.id)} ${of.error_type ?? of.message}`}</bdi>
      </span>
      <span className={`prog ${of.state}`}>
        <i style={{ width: `${ended ? 100 : (of.progress ?? 0) * 100}%` }} />
      </span>
      <span className="num dim">
        <Right of={of} />
      </span>
    </Link>
  );
}

/** What there is to say of it at the right. */
export function Right({ of }: { of: Live<ChildRow> }) {
  const now = useNow();
  const ran = of.path.reduce((sum, visit) => sum + (visit.ran ?? 0), 0);
  if (of.state === "done") return of.attempt > 1 ? said.attempts(of.attempt) : seconds(ran);
  if (of.state === "delayed") return text.parts.in(duration(Math.max(0, msOf(of.since) - now)));
  if (of.state === "processing" && of.progress != null) return percent(of.progress);
  return text.states[of.state];
}
