/** The steps of a run over time: bands of its visits, an axis with folds, a row for each step, and what the patterns mean. */
import type { Live, RunView } from "@typed-flows/react";
import { memo, useMemo, useRef } from "react";
import { duration, time, useNow } from "../../../format";
import { Card } from "../../../parts/Card";
import { Mark } from "../../../parts/State";
import * as text from "../../../text";
import { FoldKey } from "./FoldKey";
import { TimeAxis } from "./TimeAxis";
import { hasEnded, isBusy, rowsOf, visitsOf, type Bar, type Kind, type Row, type Visit } from "./bars";
import { fold, type Folding } from "./folding";
import { barTitle, label } from "./labels";
import { useWindow } from "../../../parts/useWindow";

/** More rows are drawn in a window of their own. */
const MANY = 60;
const ROW = 31;
const OFTEN = 1_000;
const classes: Record<Kind, string> = {
  ran: "done",
  memo: "memo done",
  failed: "failed",
  backed: "w",
  sleep: "sleep delayed",
  event: "ev delayed",
  kids: "kids children",
  undo: "undo warn",
};

interface Props {
  run: Live<RunView>;
  chosen: string | null;
  onChoose: (step: string) => void;
  /** Shows the steps before those that are known. */
  onEarlier?: (() => void) | undefined;
}

export function Waterfall({ run, chosen, onChoose, onEarlier }: Props) {
  const ended = hasEnded(run);
  const now = useNow();
  // Open bars grow with the time; what has ended stands.
  const at = ended ? 0 : Math.floor(now / OFTEN) * OFTEN;
  const { visits, rows, folding } = useMemo(() => {
    const found = visitsOf(run);
    const made = rowsOf(run, found, at || Date.parse(run.since));
    const spans = made.flatMap((row) => row.bars.map(spanOf));
    // Where earlier steps are left out, the axis begins with the first one that is shown.
    const first = run.steps_before ? Math.min(...spans.map((one) => one.from)) : -Infinity;
    spans.push(
      ...found.map((one) => {
        const from = Math.max(one.from, first);
        return { from, to: Math.max(one.to ?? at, from), busy: false };
      }),
    );
    return { visits: found, rows: made, folding: fold(spans) };
  }, [run, at]);
  const open = rows.filter((row) => row.step.status === "waiting").length;
  return (
    <Card title={text.run.steps.title} more={text.run.steps.counts(rows.length - open, ended ? 0 : open)}>
      {onEarlier && run.steps_before > 0 && (
        <div className="newer">
          {text.run.steps.earlier(run.steps_before)} ·{" "}
          <button type="button" className="link" onClick={onEarlier}>
            {text.run.steps.showEarlier(run.steps_before)}
          </button>
        </div>
      )}
      {rows.length === 0 ? (
        <div className="hello">
          <h3>{text.run.steps.none}</h3>
          <p className="sub">{text.run.steps.noneMore}</p>
        </div>
      ) : (
        <>
          <div className="wf run">
            {visits.length > 1 && <Bands visits={visits} folding={folding} now={at || folding.end} />}
            <TimeAxis folding={folding} visits={visits} ended={ended} />
            <Rows rows={rows} folding={folding} chosen={chosen} onChoose={onChoose} />
          </div>
          <Legend rows={rows} folding={folding} />
        </>
      )}
    </Card>
  );
}

/** What took less than a millisecond takes one. */
function spanOf(bar: Bar) {
  const busy = isBusy(bar);
  return { from: bar.from, to: busy ? Math.max(bar.to, bar.from + 1) : bar.to, busy };
}

function Bands({ visits, folding, now }: { visits: readonly Visit[]; folding: Folding; now: number }) {
  const { steps, statuses } = text.run;
  const how = (status: string) => statuses[status as keyof typeof statuses] ?? status;
  return (
    <div className="visits">
      <div />
      <div>
        {visits.map((one, i) => {
          const left = folding.place(one.from);
          const right = 100 - folding.place(one.to ?? now);
          const took = duration((one.to ?? now) - one.from);
          const first =
            one.to === null || i === visits.length - 1
              ? steps.visitNow(time(one.from))
              : steps.visitEnded(time(one.from), how(one.status), one.at);
          const second =
            one.to === null
              ? steps.visitGoesOn(took)
              : i === visits.length - 1
                ? steps.visitOver(how(one.status), took)
                : steps.visitUndone(one.undone, took);
          return (
            <span key={one.from} style={{ left: `${left}%`, right: `${right}%` }} title={`${first}, ${second}`}>
              <b>{steps.visit(i + 1)}</b>
              <span className="hide-s">
                {" · "}
                {first},<br />
                {second}
              </span>
            </span>
          );
        })}
      </div>
      <div />
    </div>
  );
}

interface RowsProps {
  rows: readonly Row[];
  folding: Folding;
  chosen: string | null;
  onChoose: (step: string) => void;
}

function Rows({ rows, folding, chosen, onChoose }: RowsProps) {
  const ref = useRef<HTMLDivElement>(null);
  const many = rows.length > MANY;
  const at = Math.max(
    0,
    rows.findIndex((row) => row.step.name === chosen),
  );
  const { from, to } = useWindow(ref, many ? rows.length : 0, ROW, at);
  const shown = many ? rows.slice(from, to) : rows;
  return (
    <div ref={ref} className={many ? "rows-in" : ""} role="list" aria-label={text.run.steps.title}>
      {many && <div style={{ height: from * ROW }} />}
      {shown.map((row) => (
        <StepRow
          key={row.step.name}
          row={row}
          folding={folding}
          chosen={row.step.name === chosen}
          onChoose={onChoose}
        />
      ))}
      {many && <div style={{ height: (rows.length - to) * ROW }} />}
    </div>
  );
}

const StepRow = memo(function StepRow({
  row,
  folding,
  chosen,
  onChoose,
}: {
  row: Row;
  folding: Folding;
  chosen: boolean;
  onChoose: (step: string) => void;
}) {
  return (
    <div className={`row ${chosen ? "sel" : ""}`} role="listitem">
      <div className="lab">
        <Mark shape={row.shape} />
        <button
          type="button"
          className="link mono"
          aria-pressed={chosen}
          title={row.step.name}
          onClick={() => onChoose(row.step.name)}
        >
          <bdi>{row.step.name}</bdi>
        </button>
        <span className="k">{label(row)}</span>
      </div>
      <div className="tr">
        {row.bars.map((bar, i) => (
          <BarMark key={i} bar={bar} folding={folding} tries={row.tries} />
        ))}
        {folding.folds.map((one) => (
          <span key={one.from} className="fold" style={{ left: `${one.left}%`, width: `${folding.mark}%` }} />
        ))}
      </div>
      <div className="num dim">{duration(row.took)}</div>
    </div>
  );
});

function BarMark({ bar, folding, tries }: { bar: Bar; folding: Folding; tries: number }) {
  const left = folding.place(bar.from);
  const width = folding.place(bar.to) - left;
  return (
    <i
      className={`${classes[bar.kind]} ${bar.open ? "open" : ""}`}
      // What is too short to be seen stands at its place, and within the axis.
      style={{ left: `min(${left}%, calc(100% - 3px))`, width: `${width}%` }}
      title={barTitle(bar, tries)}
    />
  );
}

function Legend({ rows, folding }: { rows: readonly Row[]; folding: Folding }) {
  const used = new Set(rows.flatMap((row) => row.bars.map((bar) => bar.kind)));
  const { legend } = text.run.steps;
  return (
    <div className="keyrow">
      {(Object.keys(classes) as Kind[])
        .filter((kind) => used.has(kind))
        .map((kind) => (
          <span key={kind} className="wf">
            <span className="tr">
              <i className={classes[kind]} />
            </span>
            {legend[kind]}
          </span>
        ))}
      <FoldKey folding={folding} />
    </div>
  );
}
