/** Each attempt that did not simply succeed, and the one that runs. */
import type { AttemptView, JobView, Live } from "@typed-flows/react";
import { timeExact, timeFull } from "../../format";
import { Card } from "../../parts/Card";
import { State } from "../../parts/State";
import type { Shape } from "../../parts/shapes";
import { text } from "../../text";

const said = text.job.attempts;

const SHAPES: Readonly<Record<string, Shape>> = {
  retry: "failed",
  fail: "failed",
  malformed: "failed",
  rescue: "silent",
  release: "undone",
  snooze: "delayed",
  cancel: "cancelled",
  finish: "done",
  advance: "done",
  await_children: "children",
};

export function Attempts({ job, attempts }: { job: Live<JobView>; attempts: ReadonlyMap<string, number> }) {
  const running = job.state === "processing";
  const many = job.attempts.length + (running ? 1 : 0);
  return (
    <Card title={said.title} more={many || undefined}>
      {many === 0 ? (
        <p className="pad dim">{job.path.length ? said.kept : said.none}</p>
      ) : (
        <div className="scroll" tabIndex={0} role="region" aria-label={said.title}>
          <table className="mid attempts">
            <thead>
              <tr>
                {said.columns.map((name) => (
                  <th scope="col" key={name}>
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {job.attempts.map((one, n) => (
                <One key={n} of={one} most={attempts.get(one.queue)} />
              ))}
              {running && (
                <tr>
                  <td className="mono">{job.queue}</td>
                  <td>{text.jobs.attempts(job.attempt, attempts.get(job.queue))}</td>
                  <td className="mono">{job.worker}</td>
                  <td />
                  <td>
                    <State shape="processing" word={said.present} />
                  </td>
                  <td className="dim">{job.message}</td>
                </tr>
              )}
            </tbody>
          </table>
        </div>
      )}
    </Card>
  );
}

function One({ of, most }: { of: Live<AttemptView>; most: number | undefined }) {
  return (
    <tr>
      <td className="mono">{of.queue}</td>
      <td className="nowrap">{text.jobs.attempts(of.attempt, most)}</td>
      <td className="mono">{of.worker}</td>
      <td className="nowrap">
        <time dateTime={of.ended} title={timeFull(of.ended)}>
          {timeExact(of.ended)}
        </time>
      </td>
      <td>
        <State shape={SHAPES[of.verb] ?? "waiting"} word={said.verb(of.verb)} />
      </td>
      <td className="why">
        {of.error_type && <bdi className="err">{`${of.error_type} · ${of.error_message ?? ""}`}</bdi>}
        {of.reason && <bdi className="dim">{of.reason}</bdi>}
      </td>
    </tr>
  );
}
