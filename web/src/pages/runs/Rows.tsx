/** Rows of runs; cards in a narrow window. */
import type { Live, RunRow } from "@typed-flows/react";
import { memo, useEffect, useRef } from "react";
import { percent, shortId } from "../../format";
import { Ago } from "../../parts/Ago";
import { Link } from "../../parts/Link";
import { openRow } from "../../parts/openRow";
import { State } from "../../parts/State";
import { at as place, withParams } from "../../route";
import * as text from "../../text";
import { word } from "./query";
import { isEndless, shapeOf, wordOf } from "./states";

type Row = Live<RunRow>;
/** So many lookups of a run are shown. */
const MOST = 4;

export function Rows({ rows, gone, at }: { rows: readonly Row[]; gone: ReadonlySet<string>; at: string | null }) {
  const { heads } = text.runs;
  return (
    <table className="list runrows">
      <thead>
        <tr>
          <th scope="col">{heads.state}</th>
          <th scope="col">{heads.run}</th>
          <th scope="col">{heads.workflow}</th>
          <th scope="col">{heads.lookups}</th>
          <th scope="col" className="num">
            {heads.since}
          </th>
          <th scope="col" className="num">
            {heads.attempt}
          </th>
          <th scope="col">{heads.note}</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <OneRow key={row.id} row={row} gone={gone.has(row.id)} at={row.id === at} />
        ))}
      </tbody>
    </table>
  );
}

const OneRow = memo(function OneRow({ row, gone, at }: { row: Row; gone: boolean; at: boolean }) {
  const ref = useRef<HTMLTableRowElement>(null);
  useEffect(() => {
    if (at) {
      ref.current?.scrollIntoView({ block: "nearest" });
    }
  }, [at]);
  const lookups = Object.entries(row.lookups);
  return (
    <tr
      ref={ref}
      className={`opens ${at ? "at" : ""} ${gone ? "gone" : ""}`}
      aria-current={at || undefined}
      onClick={openRow(place("runs", row.id))}
    >
      <td>
        <State shape={shapeOf(row)} word={wordOf(row)} />
      </td>
      <td className="when">
        <Link to={place("runs", row.id)} className="mono" title={row.id}>
          {shortId(row.id)}
        </Link>
      </td>
      <td>
        <Link to={withParams("runs", { q: word("workflow", row.workflow) })} className="cut">
          <bdi>{row.workflow}</bdi>
        </Link>
        {row.version != null && <span className="dim"> {row.version}</span>}
      </td>
      <td className="lk cut wide">
        <bdi>
          {lookups.slice(0, MOST).map(([name, value], i) => (
            <span key={name}>
              {i > 0 && " · "}
              {name} <b>{value}</b>
            </span>
          ))}
          {row.tags.map((tag) => (
            <span key={`tag ${tag}`} className="chip">
              {tag}
            </span>
          ))}
          {row.schedule != null && <span className="dim"> {text.runs.schedule(row.schedule)}</span>}
        </bdi>
      </td>
      <td className="num nowrap">
        {!isEndless(row, Date.now()) && <Ago at={row.since} plain={Date.parse(row.since) <= Date.now()} />}
      </td>
      <td className="num hide-s">{row.attempts || null}</td>
      <td className="cut wide">
        {gone ? (
          <span className="dim">{text.runs.gone}</span>
        ) : row.error_type != null ? (
          <bdi className="err">{row.error_type}</bdi>
        ) : row.progress != null ? (
          <bdi>{text.runs.progress(percent(row.progress), row.message)}</bdi>
        ) : null}
      </td>
    </tr>
  );
});
