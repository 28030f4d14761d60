/** What stands in a queue by state: a bar whose parts differ by pattern too, and numbers that lead to their lists. */
import type { Live, QueueView } from "@typed-flows/react";
import { count } from "../../format";
import { Link } from "../../parts/Link";
import { Mark } from "../../parts/State";
import { jobsAt } from "../../route";
import * as text from "../../text";

type Counted = "waiting" | "processing" | "children" | "delayed" | "failed" | "cancelled";

/** In this order; those of the first line are always told. */
const standing: readonly Counted[] = ["waiting", "processing", "children", "delayed"];
const always: readonly Counted[] = ["waiting", "processing", "delayed"];

export function Depth({ queue }: { queue: Live<QueueView> }) {
  const told = standing.filter((state) => queue[state] > 0 || always.includes(state));
  const ended = (["failed"] as const).filter((state) => queue[state] > 0);
  const all = standing.reduce((sum, state) => sum + queue[state], 0);
  const words = told.map((state) => `${count(queue[state])} ${text.board.states[state]}`).join(", ");
  return (
    <>
      <div className="bar" role="img" aria-label={words}>
        {all === 0 && <i className="nothing" />}
        {standing.map(
          (state) => queue[state] > 0 && <i key={state} className={state} style={{ flexGrow: queue[state] / all }} />,
        )}
      </div>
      <div className="legend">
        {[...told, ...ended].map((state) => (
          <Link
            key={state}
            to={jobsAt(`flow:${queue.flow} queue:${queue.name} state:${state}`)}
            className={`count ${state}`}
          >
            <Mark shape={state} />
            <b>{count(queue[state])}</b> <span className="dim">{text.board.states[state]}</span>
          </Link>
        ))}
      </div>
    </>
  );
}
