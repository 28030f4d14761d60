/** The queues of a flow as columns, in the order in which jobs travel; child queues stand inside of their parent. */
import type { FlowHistory, LanesView, Live, QueueView } from "@typed-flows/react";
import { Fragment } from "react";
import { Icon } from "../../parts/Icon";
import { Mark } from "../../parts/State";
import * as text from "../../text";
import { unknownSteps } from "./figures";
import { Queue } from "./Queue";
import { below, travel, type Stop } from "./travel";

/** So many stand beside each other, with arrows; more of them stand in rows. */
const MOST = 4;
/** Of more queues than that, only the numbers are shown. */
const MOST_WITH_JOBS = 16;

interface Props {
  queues: readonly Live<QueueView>[];
  lanes: Live<LanesView>;
  history: Live<FlowHistory>;
  at: number;
  old: boolean;
}

export function Columns({ queues, lanes, history, at, old }: Props) {
  const stops = travel(queues);
  const byLane = new Map(lanes.queues.map((one) => [one.name, one]));
  const byHistory = new Map(history.queues.map((one) => [one.name, one]));
  const many = stops.length > MOST;
  const unknown = unknownSteps(history);
  const columns = stops.map((one) => (one.children.length ? "1.5fr" : "1fr")).join(" 26px ");

  const card = (stop: Stop, nested: boolean) => (
    <Queue
      key={stop.queue.name}
      queue={stop.queue}
      lanes={queues.length > MOST_WITH_JOBS ? undefined : byLane.get(stop.queue.name)}
      history={byHistory.get(stop.queue.name)}
      unknown={unknown}
      nested={nested}
      below={stop.children.length ? below(stop) : null}
      at={at}
      old={old}
      goesTo={many}
    >
      {stop.children.length > 0 && (
        <>
          <div className="cap">
            <Mark shape="children" /> {text.board.fansOut(stop.children.length)}
          </div>
          <div className={`nest ${stop.children.length === 1 ? "one" : ""}`}>
            {stop.children.map((child) => card(child, true))}
          </div>
        </>
      )}
    </Queue>
  );

  return (
    <div
      className={`board ${many ? "many" : ""}`}
      style={many ? {} : ({ "--columns": columns } as React.CSSProperties)}
    >
      {stops.map((stop, i) => (
        <Fragment key={stop.queue.name}>
          {i > 0 && !many && (
            <div className={`arrow ${stops[i - 1]?.queue.next === stop.queue.name ? "" : "apart"}`} aria-hidden="true">
              <Icon name="arrow" size={22} />
            </div>
          )}
          {card(stop, false)}
        </Fragment>
      ))}
    </div>
  );
}
