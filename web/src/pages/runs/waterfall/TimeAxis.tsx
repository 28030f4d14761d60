/** The times above bars, as many as there is place for. */
import { duration, time } from "../../../format";
import * as text from "../../../text";
import { ticksOf } from "./axis";
import type { Visit } from "./bars";
import type { Folding } from "./folding";

interface Props {
  folding: Folding;
  visits?: readonly Visit[];
  /** Whether nothing goes on any more. */
  ended: boolean;
}

export function TimeAxis({ folding, visits = [], ended }: Props) {
  return (
    <div className="axis">
      <span />
      <div className="at">
        {ticksOf(folding, visits).map((tick, i, all) => (
          <span key={tick.at} className={i ? "opt l" : ""} style={{ left: `${tick.left}%` }}>
            {i > 0 && time(tick.at) === time(all[i - 1]!.at)
              ? text.run.steps.later(duration(tick.at - folding.begin))
              : time(tick.at)}
          </span>
        ))}
        <span className="end">
          {ended ? time(folding.end) : text.run.steps.now}
          {!ended && <i className="opt"> {time(folding.end)}</i>}
        </span>
      </div>
      <span />
    </div>
  );
}
