/** The processes, those first that have something to say: what each does, and since when. */
import type { ReactNode } from "react";
import { useState } from "react";
import { count, time } from "../../format";
import { Button } from "../../parts/Button";
import { Card } from "../../parts/Card";
import { Empty } from "../../parts/Empty";
import { setParams } from "../../route";
import * as text from "../../text";
import { jobsOf, loud, shortName, type Usual, type Worker } from "./order";
import { Row } from "./Row";
import { SlotsKey } from "./Slots";

const FIRST = 10;
/** So many are drawn at once, of a thousand: each tells its age anew each second. */
const PAGE = 100;
const DIED_SHOWN = 3;

interface Props {
  /** Those that match what was chosen, in the order in which they are shown. */
  some: readonly Worker[];
  died: readonly Worker[];
  /** The name of the one whose details are open. */
  open: string | null;
  flows: boolean;
  usual: Usual;
  off: string | null;
  onStacks: (worker: Worker) => void;
}

export function Processes({ some, died, open, flows, usual, off, onStacks }: Props) {
  const [whole, setWhole] = useState(false);
  const size = whole ? PAGE : Math.max(FIRST, Math.min(loud(some, usual), PAGE));
  // The page of the one whose details are open; else the one that was turned to.
  const opened = some.findIndex((one) => one.name === open);
  const last = Math.max(0, Math.ceil(some.length / size) - 1);
  const [turned, setTurned] = useState(0);
  const page = Math.min(last, opened >= 0 && !whole ? Math.floor(opened / size) : turned);
  const shown = some.slice(page * size, (page + 1) * size);
  const workers = text.workers;
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
            <Button onPress={() => setParams({ state: null, name: null, queue: null, host: null, release: null })}>
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
          {last === 0
            ? workers.shownAll(count(some.length))
            : workers.shown(count(page * size + 1), count(page * size + shown.length), count(some.length))}
        </span>
        {!whole && last > 0 && (
          <Button look="small" onPress={() => setWhole(true)}>
            {some.length <= PAGE ? workers.showAll(count(some.length)) : workers.showMore(count(PAGE))}
          </Button>
        )}
        {whole && last > 0 && (
          <>
            <Button look="small" off={page > 0 ? null : workers.firstPage} onPress={() => setTurned(page - 1)}>
              {workers.previous}
            </Button>
            <Button look="small" off={page < last ? null : workers.lastPage} onPress={() => setTurned(page + 1)}>
              {workers.next}
            </Button>
          </>
        )}
        {died.length > 0 && <Died died={died} />}
      </div>
    </Card>
  );
}

function Died({ died }: { died: readonly Worker[] }): ReactNode {
  const workers = text.workers;
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
