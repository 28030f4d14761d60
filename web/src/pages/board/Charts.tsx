/** Two charts of the window: how jobs ended, and how long they waited for their start. */
import type { FlowHistory, Live } from "@typed-flows/react";
import { lazy, memo, Suspense, useMemo, useState, type ReactNode } from "react";
import { Card } from "../../parts/Card";
import * as text from "../../text";
import { over, perMinute, sum, timesOf, type Window } from "./figures";
import type { Shade, Series } from "./Plot";

const t = text.board;
const Plot = lazy(() => import("./Plot"));

interface Chart {
  title: string;
  label: string;
  series: readonly Series[];
  rows: readonly (readonly (number | null)[])[];
  scale: "stack" | "log";
  say: (value: number | null) => string;
}

export const Charts = memo(function Charts({ history, since }: { history: Live<FlowHistory>; since: Window }) {
  const times = over(history, timesOf(history));
  const last = t.last[since];
  const ended: Chart = {
    title: t.ended,
    label: `${t.endedLabel(last)}: ${t.sumUp(sum(history.done), sum(history.retried), sum(history.failed))}`,
    series: [
      { name: t.doneWord, tone: "done", shade: "plain" },
      { name: t.retried, tone: "delayed", shade: "dots" },
      { name: t.failedWord, tone: "failed", shade: "hatch" },
    ],
    rows: [history.done, history.retried, history.failed].map((values) => perMinute(history, values)),
    scale: "stack",
    say: t.shown,
  };
  const start: Chart = {
    title: t.timeToStart,
    label: `${t.startLabel(last)}: ${t.startSum(lastOf(history.start_p50), lastOf(history.start_p95))}`,
    series: [
      { name: "p50", tone: "processing", shade: "line" },
      { name: "p95", tone: "delayed", shade: "dashed" },
      { name: "p99", tone: "waiting", shade: "dotted" },
    ],
    rows: [history.start_p50, history.start_p95, history.start_p99].map((values) => over(history, values)),
    scale: "log",
    say: t.ms,
  };
  return (
    <div className="two">
      <Shown chart={ended} times={times} marks={history.marks} />
      <Shown chart={start} times={times} marks={history.marks} />
    </div>
  );
});

const lastOf = (values: readonly (number | null)[]) => values.findLast((value) => value != null) ?? null;

interface ShownProps {
  chart: Chart;
  times: number[];
  marks: Live<FlowHistory>["marks"];
}

function Shown({ chart, times, marks }: ShownProps) {
  const [under, setUnder] = useState<number | null>(null);
  const known = times.length > 1;
  const moment = under === null ? undefined : times[under];
  return (
    <Card title={chart.title} more={<Keys chart={chart} under={moment === undefined ? null : under} at={moment} />}>
      {known ? (
        <figure className="chart">
          <Suspense fallback={<div className="plot" />}>
            <Plot
              label={chart.label}
              times={times}
              rows={chart.rows}
              series={chart.series}
              scale={chart.scale}
              marks={marks}
              onUnder={setUnder}
            />
          </Suspense>
          <Table chart={chart} times={times} />
        </figure>
      ) : (
        <p className="pad dim">{t.soon}</p>
      )}
    </Card>
  );
}

/** What each line is, and what it is where the pointer stands. */
function Keys({ chart, under, at }: { chart: Chart; under: number | null; at: number | undefined }) {
  return (
    <span className="keys">
      {at !== undefined && <span className="dim">{t.when(at)}</span>}
      {chart.series.map((one, i) => (
        <span key={one.name} className={one.tone}>
          <i className={one.shade satisfies Shade} />
          {one.name}
          {under !== null && <b>{chart.say(chart.rows[i]?.[under] ?? null)}</b>}
        </span>
      ))}
    </span>
  );
}

/** The same as numbers, for who does not see the drawing. */
function Table({ chart, times }: { chart: Chart; times: number[] }) {
  const [open, setOpen] = useState(false);
  const rows = useMemo<ReactNode>(
    () =>
      open &&
      times
        .map((time, i) => (
          <tr key={time}>
            <th scope="row">{t.when(time)}</th>
            {chart.rows.map((row, n) => (
              <td key={n} className="num">
                {chart.say(row[i] ?? null)}
              </td>
            ))}
          </tr>
        ))
        .reverse(),
    [open, times, chart],
  );
  return (
    <details className="as-table" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{t.asTable}</summary>
      <div className="scroll" tabIndex={0} role="region" aria-label={chart.title}>
        <table>
          <thead>
            <tr>
              <th scope="col">{t.at}</th>
              {chart.series.map((one) => (
                <th key={one.name} scope="col" className="num">
                  {one.name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>{rows}</tbody>
        </table>
      </div>
    </details>
  );
}
