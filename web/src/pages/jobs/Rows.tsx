/** The table of jobs: rows, in a narrow window cards, with what is selected and what becomes of each. */
import type { JobRow, Live } from "@typed-flows/react";
import { memo, useEffect, useRef } from "react";
import { count, duration, msOf, percent, shortId, timeFull, useNow } from "../../format";
import { Link } from "../../parts/Link";
import { openRow } from "../../parts/openRow";
import { State } from "../../parts/State";
import { jobAt } from "../../route";
import * as text from "../../text";
import { Lookups } from "./Lookups";
import type { Doing } from "./useBulk";
import type { Row } from "./useList";
import type { Selection } from "./useSelection";

const { columns } = text.jobs;

interface Props {
  rows: readonly Row[];
  selection: Selection;
  /** The most attempts of each queue. */
  attempts: ReadonlyMap<string, number>;
  /** The place of the first row, from 1 on, where the list has places. */
  place: number | null;
  doing: Doing | null;
  /** Why nothing can be selected to act on. */
  off: string | null;
}

export function Rows({ rows, selection, attempts, place, doing, off }: Props) {
  const fitting = rows.filter((row) => row.gone === null);
  const some = selection.rows.length > 0 && selection.rows.length < fitting.length;
  const box = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (box.current) box.current.indeterminate = some && !selection.all;
  });
  return (
    <table className="list jobs">
      <thead>
        <tr>
          <th scope="col" className="c-box">
            <input
              type="checkbox"
              ref={box}
              aria-label={text.jobs.selectShown}
              disabled={off !== null || fitting.length === 0}
              checked={fitting.length > 0 && selection.rows.length === fitting.length}
              onChange={selection.selectShown}
            />
          </th>
          {place !== null && (
            <th scope="col" className="num c-place">
              {columns.place}
            </th>
          )}
          <th scope="col" className="c-state">
            {columns.state}
          </th>
          <th scope="col" className="c-job">
            {columns.job}
          </th>
          <th scope="col" className="c-lookups">
            {columns.lookups}
          </th>
          <th scope="col" className="c-queue">
            {columns.queue}
          </th>
          <th scope="col" className="num c-since">
            {columns.since}
          </th>
          <th scope="col" className="num c-attempt">
            {columns.attempt}
          </th>
          <th scope="col">{columns.note}</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row, n) => (
          <JobLine
            key={row.job.id}
            row={row}
            place={place === null ? null : place + n}
            most={attempts.get(row.job.queue)}
            selected={selection.has(row.job.id)}
            at={n === selection.at}
            off={off}
            doing={doing}
            onToggle={(to, range) => {
              selection.setAt(n);
              if (range) selection.toggleTo(row.job.id);
              else selection.toggle(row.job.id, to);
            }}
          />
        ))}
      </tbody>
    </table>
  );
}

interface LineProps {
  row: Row;
  place: number | null;
  most: number | undefined;
  selected: boolean;
  at: boolean;
  off: string | null;
  doing: Doing | null;
  onToggle: (to: boolean, range: boolean) => void;
}

function JobLine({ row: { job, gone }, place, most, selected, at, off, doing, onToggle }: LineProps) {
  const line = useRef<HTMLTableRowElement>(null);
  useEffect(() => {
    if (at) line.current?.scrollIntoView({ block: "nearest" });
  }, [at]);
  const late = gone === null && doing !== null && doing.before !== null && msOf(job.since) >= doing.before;
  const meant = gone === null && doing !== null && !late && (doing.ids === null || doing.ids.has(job.id));
  const look = [selected && "on", at && "at", gone && "gone", late && "new"].filter(Boolean).join(" ");
  return (
    <tr
      className={`opens ${look}`}
      ref={line}
      aria-selected={selected || undefined}
      onClick={openRow(jobAt(job.flow, job.id))}
    >
      <td className="c-box">
        <input
          type="checkbox"
          aria-label={text.jobs.select(shortId(job.id))}
          checked={selected}
          disabled={gone !== null || off !== null}
          onChange={(event) => onToggle(event.target.checked, (event.nativeEvent as MouseEvent).shiftKey)}
        />
      </td>
      {place !== null && <td className="num dim c-place">{count(place)}</td>}
      <td>
        <State shape={job.state} />
      </td>
      <td className="mono">
        <Link to={jobAt(job.flow, job.id)} title={job.id}>
          {shortId(job.id)}
        </Link>
      </td>
      <td className="wide cut-1">
        <Lookups of={job.lookups} />
      </td>
      <td className="mono hide-s cut-1" title={job.queue}>
        {job.queue}
      </td>
      <td className="num nowrap dim when">
        <Since job={job} />
      </td>
      <td className="num dim hide-s nowrap">{text.jobs.attempts(job.attempt, most)}</td>
      <td className="wide cut">
        <span className="ends">
          {gone === null ? <Note job={job} /> : <span className="dim">{gone}</span>}
          {late && (
            <span className="nowrap dim">
              <span className="chip">{text.jobs.isNew}</span> {text.jobs.stays}
            </span>
          )}
          {meant && <Soon doing={doing} />}
        </span>
      </td>
    </tr>
  );
}

/** What there is to say of a job: its error, or how far it is. */
const Note = memo(function Note({ job }: { job: Live<JobRow> }) {
  if (job.error_type) {
    const whole = job.error_message ? `${job.error_type} · ${job.error_message}` : job.error_type;
    return (
      <bdi className={`err ${job.state === "failed" || job.state === "delayed" ? "" : "past"}`} title={whole}>
        {whole}
      </bdi>
    );
  }
  if (job.state !== "processing" || job.progress == null) return <bdi className="dim cut-1">{job.message}</bdi>;
  const said = text.jobs.progress(percent(job.progress), job.message);
  return (
    <span className="sub part" title={said}>
      <span className="prog processing">
        <i style={{ width: `${Math.min(1, job.progress) * 100}%` }} />
      </span>
      <bdi>{said}</bdi>
    </span>
  );
});

function Since({ job }: { job: Live<JobRow> }) {
  const now = useNow();
  const age = now - msOf(job.since);
  const said = duration(Math.max(1, Math.round(Math.abs(age) / 1000)) * 1000);
  return (
    <time dateTime={job.since} title={timeFull(job.since)}>
      {age < -500 ? text.parts.in(said) : said}
    </time>
  );
}

function Soon({ doing }: { doing: Doing }) {
  const now = useNow();
  const left = Math.max(0, Math.ceil((doing.begins - now) / 1000));
  return <span className="nowrap dim">{text.jobs.soon(doing.verb, left)}</span>;
}
