/** The paths of a tree over time: how long each has waited, and how long it took; what nobody needs to see is folded. */
import { useMemo, useRef } from "react";
import { duration, useNow } from "../../format";
import { Card } from "../../parts/Card";
import { Mark } from "../../parts/State";
import { toneOf } from "../../parts/shapes";
import { useWindow } from "../../parts/useWindow";
import { setParams } from "../../route";
import * as text from "../../text";
import { FoldKey } from "../runs/waterfall/FoldKey";
import { TimeAxis } from "../runs/waterfall/TimeAxis";
import { fold, type Folding } from "../runs/waterfall/folding";
import { shapes, type Standing, type Tree } from "./stand";
import { linesOf, type Bar, type Line } from "./times";

/** More rows are drawn in a window of their own. */
const MANY = 60;
const ROW = 30;
const OFTEN = 1_000;

interface Props {
  tree: Tree;
  standing: Standing;
  chosen: string | null;
}

export function Timeline({ tree, standing, chosen }: Props) {
  const said = text.tree.timeline;
  const running = standing.status === "working";
  const now = useNow();
  const at = running ? Math.floor(now / OFTEN) * OFTEN : 0;
  const { lines, left, folding } = useMemo(() => {
    const found = linesOf(tree.tasks, standing.tasks, at);
    const spans = found.lines.flatMap(({ bars }) =>
      bars.map(({ from, to, kind }) => ({ from, to, busy: kind === "ran" })),
    );
    return { ...found, folding: fold(spans) };
  }, [tree.tasks, standing.tasks, at]);
  return (
    <Card title={said.title} more={said.counts(lines.length, left)}>
      {lines.length === 0 ? (
        <p className="pad sub">{said.none}</p>
      ) : (
        <>
          <div className="wf run tl">
            <TimeAxis folding={folding} ended={!running} />
            <Lines lines={lines} folding={folding} chosen={chosen} />
          </div>
          <Legend lines={lines} folding={folding} />
        </>
      )}
    </Card>
  );
}

function Lines({ lines, folding, chosen }: { lines: readonly Line[]; folding: Folding; chosen: string | null }) {
  const ref = useRef<HTMLDivElement>(null);
  const many = lines.length > MANY;
  const at = Math.max(
    0,
    lines.findIndex((line) => line.task.path === chosen),
  );
  const { from, to } = useWindow(ref, many ? lines.length : 0, ROW, at);
  return (
    <div ref={ref} className={many ? "rows-in" : ""} role="list" aria-label={text.tree.timeline.title}>
      {many && <div style={{ height: from * ROW }} />}
      {(many ? lines.slice(from, to) : lines).map((line) => (
        <LineRow key={line.task.path} line={line} folding={folding} chosen={line.task.path === chosen} />
      ))}
      {many && <div style={{ height: (lines.length - to) * ROW }} />}
    </div>
  );
}

function LineRow({ line, folding, chosen }: { line: Line; folding: Folding; chosen: boolean }) {
  const { path, name } = line.task;
  return (
    <div className={`row ${chosen ? "sel" : ""}`} role="listitem" data-path={path}>
      <div className="lab" style={{ paddingLeft: 14 * (line.level - 1) }}>
        <Mark shape={shapes[line.status]} />
        <button
          type="button"
          className="link mono"
          aria-pressed={chosen}
          title={path}
          onClick={() => setParams({ path })}
        >
          <bdi>{name}</bdi>
        </button>
        {line.attempt > 1 && <span className="k">{text.tree.attempt(line.attempt)}</span>}
      </div>
      <div className="tr">
        {line.bars.map((bar) => (
          <BarMark key={bar.kind} bar={bar} folding={folding} tone={toneOf(shapes[line.status])} />
        ))}
        {folding.folds.map((one) => (
          <span key={one.from} className="fold" style={{ left: `${one.left}%`, width: `${folding.mark}%` }} />
        ))}
      </div>
      <div className="num dim">{line.took === null ? text.tree.nothing : duration(line.took)}</div>
    </div>
  );
}

const classOf = ({ kind, open }: Bar, tone: string) =>
  `${kind === "waited" ? "w" : kind === "below" ? "undo" : ""} ${kind === "waited" ? "" : tone} ${open ? "open" : ""}`;

function BarMark({ bar, folding, tone }: { bar: Bar; folding: Folding; tone: string }) {
  const left = folding.place(bar.from);
  return (
    <i
      className={classOf(bar, tone)}
      // What is too short to be seen stands at its place, and within the axis.
      style={{ left: `min(${left}%, calc(100% - 3px))`, width: `${folding.place(bar.to) - left}%` }}
      title={text.tree.timeline.bars[bar.kind](duration(bar.to - bar.from))}
    />
  );
}

function Legend({ lines, folding }: { lines: readonly Line[]; folding: Folding }) {
  const { legend } = text.tree.timeline;
  const used = new Set(lines.flatMap((line) => line.bars.map((bar) => bar.kind)));
  return (
    <div className="keyrow">
      {(["ran", "waited", "below"] as const)
        .filter((kind) => used.has(kind))
        .map((kind) => (
          <span key={kind} className="wf">
            <span className="tr">
              <i className={classOf({ kind, from: 0, to: 0, open: false }, "done")} />
            </span>
            {legend[kind]}
          </span>
        ))}
      <FoldKey folding={folding} />
    </div>
  );
}
