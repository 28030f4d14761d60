/** The children of a job by their queues, rolled up, and each of them. */
import type { ChildRow, JobView, Live } from "@typed-flows/react";
import { percent } from "../../format";
import { Bones } from "../../parts/Bones";
import { Button } from "../../parts/Button";
import { Card } from "../../parts/Card";
import { Mark } from "../../parts/State";
import * as text from "../../text";
import { Child } from "./Child";
import { PAGE, type ChildrenOf } from "./useChildren";

const said = text.job.children;
const ENDED = ["done", "failed", "cancelled"];

export function Children({ job, children }: { job: Live<JobView>; children: ChildrenOf }) {
  const { page, from, go } = children;
  const all = job.children ?? { total: 0, pending: 0 };
  const settled = all.total - all.pending;
  const queues = [...new Set(page?.jobs.map((child) => child.queue))];
  return (
    <Card title={said.title} more={said.part(percent(all.total ? settled / all.total : 1))}>
      {page === null ? (
        <Bones rows={4} />
      ) : (
        <div className="tree">
          <Node
            depth={0}
            shape={all.pending ? "children" : "done"}
            name={page.jobs[0]?.queue.replace(/:[^:]*$/, "") ?? job.queue}
            part={all.total ? settled / all.total : 1}
            right={said.rolled(settled, all.total)}
          />
          {queues.map((queue) => (
            <Group key={queue} queue={queue} rows={page.jobs.filter((child) => child.queue === queue)} />
          ))}
        </div>
      )}
      {page && (page.gone > 0 || page.total > PAGE) && (
        <div className="foot">
          {page.gone > 0 && <span>{said.gone(page.gone)}</span>}
          {page.total > PAGE && (
            <span className="gap end">
              <span>{said.range(from + 1, Math.min(from + PAGE, page.total), page.total)}</span>
              {from > 0 && (
                <Button look="small" onPress={() => go(0)}>
                  {said.first}
                </Button>
              )}
              {page.cursor && (
                <Button look="small" onPress={() => go(Number(page.cursor))}>
                  {said.next(PAGE)}
                </Button>
              )}
            </span>
          )}
        </div>
      )}
    </Card>
  );
}

function Group({ queue, rows }: { queue: string; rows: readonly Live<ChildRow>[] }) {
  const settled = rows.filter((child) => ENDED.includes(child.state)).length;
  return (
    <>
      <Node
        depth={1}
        shape={settled === rows.length ? "done" : "children"}
        name={queue.split(":").at(-1)!}
        part={settled / rows.length}
        right={said.rolled(settled, rows.length)}
      />
      {rows.map((child) => (
        <Child key={child.id} of={child} />
      ))}
    </>
  );
}

interface NodeProps {
  depth: 0 | 1;
  shape: "children" | "done";
  name: string;
  part: number;
  right: string;
}

function Node({ depth, shape, name, part, right }: NodeProps) {
  return (
    <div className={`tn in${depth}`}>
      <span className="nm">
        <Mark shape={shape} />
        <bdi className="mono">{name}</bdi>
      </span>
      <span className={`prog ${shape}`}>
        <i style={{ width: `${part * 100}%` }} />
      </span>
      <span className="num dim">{right}</span>
    </div>
  );
}
