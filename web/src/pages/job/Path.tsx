import type { FlowView, JobView, Live } from "@typed-flows/react";
import { duration, msOf, seconds, useNow } from "../../format";
import { Card } from "../../parts/Card";
import { Mark } from "../../parts/State";
import * as text from "../../text";
import { stopsOf, type Stop } from "./path";

const said = text.job.stop;

interface Props {
  job: Live<JobView>;
  view: FlowView | null;
}

/** The queues of a job's way: those behind it, the one where it is, and those to come. */
export function Path({ job, view }: Props) {
  return (
    <Card className="path" label={text.job.path}>
      {stopsOf(job, view).map((stop, n) => (
        <div className="stop" key={n}>
          <div className={`rule ${stop.is === "here" ? job.state : stop.is === "past" ? "done" : "waiting"}`}>
            <i style={{ width: `${partOf(stop, job) * 100}%` }} />
          </div>
          <div className="n">
            <Mark shape={stop.is === "here" ? job.state : stop.is === "past" ? "done" : "waiting"} />
            <bdi className="cut-1" title={stop.queue}>
              {stop.queue}
            </bdi>
          </div>
          <div className="d">
            <Said stop={stop} job={job} />
          </div>
        </div>
      ))}
    </Card>
  );
}

function partOf(stop: Stop, job: Live<JobView>): number {
  if (stop.is === "past") return 1;
  if (stop.is === "next") return 0;
  if (job.state === "children" && job.children?.total)
    return (job.children.total - job.children.pending) / job.children.total;
  if (job.state === "processing") return job.progress ?? 0.5;
  return job.state === "waiting" || job.state === "delayed" ? 0 : 1;
}

function Said({ stop, job }: { stop: Stop; job: Live<JobView> }) {
  const now = useNow();
  if (stop.is === "next") return said.notYet;
  if (stop.is === "past") return said.ran(seconds(stop.ran), stop.attempts);
  const age = duration(Math.round(Math.max(0, Math.abs(now - msOf(job.since))) / 1000) * 1000);
  if (job.state === "waiting") return said.waits(age);
  if (job.state === "delayed") return said.delayed(age);
  if (job.state === "processing") return said.runs(age);
  if (job.state === "children" && job.children) return said.children(job.children.pending, job.children.total);
  return said.ran(seconds(stop.ran), stop.attempts);
}
