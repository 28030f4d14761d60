/** The attempts of a job: those whose history is kept, the stays that went well, and the one that runs. */
import type { JobView, Live } from "@typed-flows/react";
import { seconds, timeExact, timeFull } from "../../format";
import { Card } from "../../parts/Card";
import { State } from "../../parts/State";
import * as text from "../../text";
import { triesOf, type Try } from "./tries";

const said = text.job.attempts;

export function Attempts({ job, attempts }: { job: Live<JobView>; attempts: ReadonlyMap<string, number> }) {
  const rows = triesOf(job);
  return (
    <Card title={said.title} more={rows.length || undefined}>
      {rows.length === 0 ? (
        <p className="pad dim">{said.none}</p>
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
              {rows.map((one, n) => (
                <Row key={n} of={one} most={attempts.get(one.queue)} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Card>
  );
}

function Row({ of, most }: { of: Try; most: number | undefined }) {
  const why = of.error || of.reason;
  return (
    <>
      <tr>
        <td className="mono">{of.queue}</td>
        <td className="nowrap">{of.attempt === null ? "" : text.jobs.attempts(of.attempt, most)}</td>
        <td className="mono">{of.worker}</td>
        <td className="nowrap">
          {of.ended && (
            <time dateTime={of.ended} title={timeFull(of.ended)}>
              {timeExact(of.ended)}
            </time>
          )}
        </td>
        <td className="nowrap">{of.waited === null ? "" : seconds(of.waited)}</td>
        <td className="nowrap">{of.ran === null ? "" : seconds(of.ran)}</td>
        <td>
          <State shape={of.shape} word={of.word} />
        </td>
      </tr>
      {why && (
        <tr className="because">
          <td />
          <td colSpan={said.columns.length - 1}>
            {of.error && <bdi className="err">{of.error}</bdi>} {of.reason && <bdi className="dim">{of.reason}</bdi>}
          </td>
        </tr>
      )}
    </>
  );
}
