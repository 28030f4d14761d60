/** What the job and its first children did when: hatched it waited, solid it ran, striped an attempt failed. */
import type { ChildRow, ChildrenPage, FlowView, JobView, Live } from "@typed-flows/react";
import { useMemo } from "react";
import { duration, useNow } from "../../format";
import { Card } from "../../parts/Card";
import { Link } from "../../parts/Link";
import { Mark } from "../../parts/State";
import { jobAt } from "../../route";
import * as text from "../../text";
import { nameOf } from "./Child";
import { stopsOf } from "./path";
import { lastedOf, spanOf, staysOf, type Bar, type Stay } from "./timeline";

const said = text.job.timeline;
/** So many children stand below. */
const MOST = 12;
const MARKS = [0, 0.25, 0.5, 0.75, 1] as const;
const ENDED = ["done", "failed", "cancelled"];

interface Line extends Stay {
  key: string;
  child: Live<ChildRow> | null;
}

interface Props {
  job: Live<JobView>;
  view: FlowView | null;
  children: Live<ChildrenPage> | null;
}

export function Timeline({ job, view, children }: Props) {
  const now = useNow();
  const rows = children?.jobs.slice(0, MOST) ?? [];
  const goesOn = !ENDED.includes(job.state) || rows.some((child) => !ENDED.includes(child.state));
  const until = goesOn ? Math.max(now, Date.parse(job.state === "delayed" ? job.created : job.since)) : 0;
  const lines = useMemo(() => linesOf(job, rows, until), [job, children, until]);
  const span = spanOf(lines);
  const length = span.to - span.from;
  return (
    <Card title={said.title} more={<Legend lines={lines} />}>
      <div className="wf">
        <div className="axis" aria-hidden="true">
          <span />
          <div>
            {MARKS.map((part) => (
              <span key={part}>{duration(part * length)}</span>
            ))}
          </div>
          <span />
        </div>
        {lines.map((line) => (
          <div className="row" key={line.key}>
            <div className="lab" title={line.queue}>
              <Mark shape={line.state} />
              {line.child ? (
                <Link to={jobAt(line.child.flow, line.child.id)} className="mono in">
                  {nameOf(line.child)}
                </Link>
              ) : (
                <bdi className="mono">{line.queue}</bdi>
              )}
            </div>
            <div
              className="tr"
              role="img"
              aria-label={said.row(line.queue, line.bars.map(saidOf).join(", ") || said.none)}
            >
              {line.bars.map((bar, n) => (
                <i
                  key={n}
                  className={lookOf(bar)}
                  title={saidOf(bar)}
                  style={{
                    left: `${((bar.from - span.from) / length) * 100}%`,
                    width: `${((bar.to - bar.from) / length) * 100}%`,
                  }}
                />
              ))}
            </div>
            <div className="num dim">{duration(lastedOf(line))}</div>
          </div>
        ))}
        {stopsOf(job, view)
          .filter((stop) => stop.is === "next")
          .map((stop) => (
            <div className="row" key={`next ${stop.queue}`}>
              <div className="lab">
                <Mark shape="waiting" />
                <bdi className="mono">{stop.queue}</bdi>
              </div>
              <div />
              <div className="num dim">–</div>
            </div>
          ))}
        {children && children.total > rows.length && (
          <p className="dim more-of">{said.children(rows.length, children.total)}</p>
        )}
      </div>
    </Card>
  );
}

/** A child's line is one: all its stays in a row. */
function linesOf(job: Live<JobView>, children: readonly Live<ChildRow>[], now: number): Line[] {
  const own = staysOf(job, now).map((stay, n) => ({ ...stay, key: `${n}`, child: null }));
  const below = children.map((child) => {
    const stays = staysOf(child, now);
    return { queue: child.queue, bars: stays.flatMap((stay) => stay.bars), state: child.state, key: child.id, child };
  });
  const at = own.findLastIndex((line) => line.bars.some((bar) => bar.kind === "kids")) + 1 || own.length;
  return [...own.slice(0, at), ...below, ...own.slice(at)];
}

const LOOKS = { w: "w", ran: "done", failed: "failed", running: "processing run", kids: "children kids" } as const;
const lookOf = (bar: Bar) => LOOKS[bar.kind];

function saidOf(bar: Bar): string {
  const words = said.bar[bar.kind](duration(bar.to - bar.from));
  return bar.attempt === undefined ? words : said.attempt(bar.attempt, words);
}

/** Each pattern is explained where it is used. */
function Legend({ lines }: { lines: readonly Line[] }) {
  const used = new Set(lines.flatMap((line) => line.bars.map((bar) => bar.kind)));
  const kinds = (["w", "ran", "failed", "kids"] as const).filter((kind) => used.has(kind));
  return (
    <span className="legend-of">
      {kinds.map((kind) => (
        <span key={kind}>
          <span className="wf">
            <span className="tr">
              <i className={LOOKS[kind]} />
            </span>
          </span>
          {said.legend[kind]}
        </span>
      ))}
    </span>
  );
}
