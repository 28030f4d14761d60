/** The first jobs of a queue: who runs, who is next, who ended last. */
import type { JobRow, Live, QueueLanes, QueueView } from "@typed-flows/react";
import { memo } from "react";
import { writeJson } from "../../exact";
import { count, duration, msOf, shortId } from "../../format";
import { Link } from "../../parts/Link";
import { Mark } from "../../parts/State";
import { jobAt } from "../../route";
import * as text from "../../text";

const t = text.board;

export function Lanes({ queue, lanes, at }: { queue: Live<QueueView>; lanes: Live<QueueLanes>; at: number }) {
  return (
    <div className="lanes">
      <Lane title={t.runningNow} many={queue.processing} jobs={lanes.running} at={at} />
      <Lane title={t.next} many={queue.waiting} jobs={lanes.next} at={at} />
      <Lane title={t.endedLast} many={null} jobs={lanes.ended} at={at} />
    </div>
  );
}

interface LaneProps {
  title: string;
  many: number | null;
  jobs: readonly Live<JobRow>[];
  at: number;
}

function Lane({ title, many, jobs, at }: LaneProps) {
  if (!jobs.length) return null;
  return (
    <div className="lane">
      <h3>
        <span>{title}</span>
        {many !== null && <span>{count(Math.max(many, jobs.length))}</span>}
      </h3>
      {jobs.map((job) => (
        <Row key={job.id} job={job} age={ageOf(job, at)} />
      ))}
    </div>
  );
}

/** How long ago it came to where it is, in steps of a second from ten seconds on. */
function ageOf(job: Live<JobRow>, at: number): string {
  const ms = Math.max(0, at - msOf(job.since));
  const over = job.state === "done" || job.state === "failed" || job.state === "cancelled";
  return over && ms < 1500 ? t.now : duration(ms);
}

const Row = memo(function Row({ job, age }: { job: Live<JobRow>; age: string }) {
  const what = whatOf(job);
  return (
    <Link to={jobAt(job.flow, job.id)} className="jobrow" title={`${job.id} ${what}`}>
      <Mark shape={job.state} />
      <span className="id">{shortId(job.id)}</span>
      <bdi className="what">{what}</bdi>
      <span className="t">{age}</span>
      {job.state === "processing" && job.progress != null && (
        <span className="p">
          <i style={{ width: `${Math.round(Math.max(0, Math.min(1, job.progress)) * 100)}%` }} />
        </span>
      )}
    </Link>
  );
});

/** What tells a job from others: its lookup attributes, and how it ended or how far it is. */
function whatOf(job: Live<JobRow>): string {
  const parts = Object.entries(job.lookups).map(([name, value]) => `${nameOf(name)} ${said(value)}`);
  if (job.state === "failed" || (job.state !== "done" && job.error_type != null)) parts.unshift(job.error_type ?? "");
  if (job.state === "failed" && job.attempt > 1) parts.splice(1, 0, t.attempt(job.attempt));
  if (job.state === "done") parts.push(t.took(Math.max(0, msOf(job.since) - msOf(job.created))));
  if (job.state === "processing" && job.message) parts.push(job.message);
  return parts.filter(Boolean).join(" · ").slice(0, 300);
}

/** `user_id` is said as `user`. */
const nameOf = (attribute: string) => attribute.replace(/_ids?$/, "");

function said(value: unknown): string {
  if (Array.isArray(value)) return value.slice(0, 5).map(said).join(" ");
  return typeof value === "string" ? value.slice(0, 60) : writeJson(value).slice(0, 60);
}
