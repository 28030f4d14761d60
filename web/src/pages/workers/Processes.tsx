/** The processes, those first that have something to say: what each does, and since when. */
import type { ReactNode } from "react";
import { useState } from "react";
import { count, time } from "../../format";
import { Button } from "../../parts/Button";
import { Card } from "../../parts/Card";
import { Empty } from "../../parts/Empty";
import { setParams } from "../../route";
import { text } from "../../text";
import { jobsOf, loud, shortName, type Usual, type Worker } from "./order";
import { Row } from "./Row";
import { SlotsKey } from "./Slots";

const FIRST = 10;
const MORE = 100;
const DIED_SHOWN = 3;

interface Props {
  /** Those that match what was chosen, in the order in which they are shown. */
  some: readonly Worker[];
  died: readonly Worker[];
  /** The name of the one whose details are open. */
  open: string | null;
  flows: boolean;
  usual: Usual;
  now: number;
  off: string | null;
  onStacks: (worker: Worker) => void;
}

export function Processes({ some, died, open, flows, usual, now, off, onStacks }: Props) {
  const first = Math.max(FIRST, Math.min(loud(some, usual, now), MORE), some.findIndex((one) => one.name === open) + 1);
  const [most, setMost] = useState(0);
  const shown = some.slice(0, Math.max(first, most));
  const rest = some.length - shown.length;
  const { workers } = text;
  const heads: [string, string][] = [
    [workers.process, ""],
    [workers.version, ""],
    [workers.state, ""],
    [workers.slots, ""],
    [workers.longest, ""],
    [workers.lag, "num"],
    [workers.memoryOf, "num"],
    [workers.beat, "num"],
  ];
  return (
    <Card title={workers.processes} more={workers.standsOutFirst}>
      {some.length === 0 ? (
        <Empty
          head={workers.noneMatch}
          acts={
            <Button onPress={() => setParams({ state: null, queue: null, host: null, release: null })}>
              {workers.showAllOnes}
            </Button>
          }
        >
          {workers.noneMatchMore}
        </Empty>
      ) : (
        <table className="mid procs">
          <thead>
            <tr>
              {heads.map(([head, look]) => (
                <th key={head} scope="col" className={look}>
                  {head}
                </th>
              ))}
              <th scope="col">
                <span className="sr">{workers.actions}</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {shown.map((worker) => (
              <Row
                key={`${worker.flow} ${worker.name}`}
                worker={worker}
                open={worker.name === open}
                flow={flows}
                usual={usual}
                off={off}
                onStacks={onStacks}
              />
            ))}
          </tbody>
        </table>
      )}
      <SlotsKey />
      <div className="foot">
        <span>
          {rest ? workers.shown(count(shown.length), count(some.length)) : workers.shownAll(count(some.length))}
        </span>
        {rest > 0 && (
          <Button look="small" onPress={() => setMost(shown.length + MORE)}>
            {rest <= MORE ? workers.showAll(count(some.length)) : workers.showMore(count(MORE))}
          </Button>
        )}
        {died.length > 0 && <Died died={died} />}
      </div>
    </Card>
  );
}

function Died({ died }: { died: readonly Worker[] }): ReactNode {
  const { workers } = text;
  const latest = [...died].sort((a, b) => (a.heard < b.heard ? 1 : -1));
  return (
    <span className="end">
      {workers.diedLine(died.length)}{" "}
      {latest.slice(0, DIED_SHOWN).map((one, i) => (
        <span key={one.name}>
          {i > 0 && "; "}
          <bdi>{workers.diedOne(shortName(one), time(one.heard), jobsOf(one))}</bdi>
        </span>
      ))}
      {died.length > DIED_SHOWN && ` ${workers.more(died.length - DIED_SHOWN)}`}
    </span>
  );
}
