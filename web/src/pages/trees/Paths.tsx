/** The paths of a tree, each with its state and its share of the whole: solid is done, striped is under way or failed. */
import { moveOf, rowsOf, type TaskLine, type TaskState } from "@typed-flows/react";
import { memo, useEffect, useMemo, useRef, useState, type KeyboardEvent } from "react";
import { duration, percent, rate, useNow } from "../../format";
import { Button } from "../../parts/Button";
import { Card } from "../../parts/Card";
import { Icon } from "../../parts/Icon";
import { Mark, State } from "../../parts/State";
import { toneOf } from "../../parts/shapes";
import { useWindow } from "../../parts/useWindow";
import { setParams } from "../../route";
import * as text from "../../text";
import { INACTIVE, prune, shapes, tookOf, type Counts, type Standing, type Task, type Tree } from "./stand";
import { causeOf, type Cause } from "./why";

/** More rows are drawn in a window of their own. */
const MANY = 100;
const ROW = 30;
const NONE: ReadonlySet<string> = new Set();

interface Props {
  tree: Tree;
  standing: Standing;
  counts: Counts;
  chosen: string | null;
  /** Only paths in this state, with those above them. */
  only: string | null;
}

export function Paths({ tree, standing, counts, chosen, only }: Props) {
  const said = text.tree;
  const [closed, setClosed] = useState(NONE);
  const { tasks } = tree;
  const shown = useMemo(
    () => (only === null ? tasks : prune(tasks, (task) => isIn(standing.tasks.get(task.path) ?? INACTIVE, only))),
    [tasks, standing, only],
  );
  const rows = useMemo(() => rowsOf<Task>(shown, closed), [shown, closed]);
  const groups = useMemo(() => rowsOf<Task>(tasks, NONE).filter((row) => row.node.tasks.length > 0), [tasks]);
  const allClosed = closed.size >= groups.length;
  return (
    <Card
      title={said.paths}
      more={
        <>
          {said.counts(counts.paths, rate(counts.weight))}
          {groups.length > 0 && (
            <Button
              look="quiet small"
              onPress={() => setClosed(allClosed ? NONE : new Set(groups.map((row) => row.node.path)))}
            >
              {allClosed ? said.expand : said.collapse}
            </Button>
          )}
        </>
      }
    >
      {rows.length === 0 ? (
        <p className="pad sub">{said.noneMatch}</p>
      ) : (
        <Rows tree={tree} standing={standing} rows={rows} closed={closed} setClosed={setClosed} chosen={chosen} />
      )}
    </Card>
  );
}

const isIn = (task: TaskState, what: string) => (what === "stale" ? task.stale === true : task.status === what);

interface RowsProps {
  tree: Tree;
  standing: Standing;
  rows: readonly TaskLine<Task>[];
  closed: ReadonlySet<string>;
  setClosed: (closed: ReadonlySet<string>) => void;
  chosen: string | null;
}

function Rows({ tree, standing, rows, closed, setClosed, chosen }: RowsProps) {
  const { heads } = text.tree;
  const now = useNow();
  const [at, setAt] = useState<string | null>(null);
  const box = useRef<HTMLDivElement>(null);
  const moved = useRef(false);
  const place = Math.max(
    0,
    rows.findIndex((row) => row.node.path === (at ?? chosen)),
  );
  const many = rows.length > MANY;
  const { from, to } = useWindow(box, many ? rows.length : 0, ROW, place);
  const current = rows[place]!.node.path;
  useEffect(() => {
    if (!moved.current) return;
    moved.current = false;
    box.current?.querySelector<HTMLElement>(`[data-path="${CSS.escape(current)}"]`)?.focus();
  }, [current, from]);
  const toggle = (path: string) => {
    const next = new Set(closed);
    if (!next.delete(path)) next.add(path);
    setClosed(next);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "Enter" || event.key === " ") setParams({ path: current });
    else {
      const move = moveOf(event.key, rows, current, closed);
      if (move === null) return;
      if ("to" in move) {
        moved.current = true;
        setAt(move.to);
      } else toggle("close" in move ? move.close : move.open);
    }
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div className="ttree">
      <div className="tn head" aria-hidden="true">
        <span>{heads.path}</span>
        <span>{heads.state}</span>
        <span>{heads.progress}</span>
        <span className="num">{heads.done}</span>
        <span className="num">{heads.weight}</span>
        <span className="num">{heads.took}</span>
      </div>
      <div
        ref={box}
        className={many ? "rows-in" : ""}
        role="tree"
        aria-label={text.tree.pathsOf(tree.name || tree.id)}
        onKeyDown={onKeyDown}
      >
        {many && <div style={{ height: from * ROW }} />}
        {(many ? rows.slice(from, to) : rows).map((row) => {
          const task = standing.tasks.get(row.node.path) ?? INACTIVE;
          const { path, tasks } = row.node;
          return (
            <PathRow
              key={path}
              row={row}
              task={task}
              cause={task.stale ? causeOf(row.node, tree) : null}
              done={standing.done.get(path) ?? 0}
              took={tookOf(task, now)}
              open={tasks.length ? !closed.has(path) : undefined}
              chosen={path === chosen}
              current={path === current}
              onToggle={toggle}
              onChoose={setAt}
            />
          );
        })}
        {many && <div style={{ height: (rows.length - to) * ROW }} />}
      </div>
    </div>
  );
}

interface PathRowProps {
  row: TaskLine<Task>;
  task: TaskState;
  /** Why it is stale, where that is known. */
  cause: Cause | null;
  done: number;
  took: number | null;
  /** Whether what is below it is shown; undefined: there is nothing. */
  open: boolean | undefined;
  chosen: boolean;
  current: boolean;
  onToggle: (path: string) => void;
  onChoose: (path: string) => void;
}

function PathRowOf({ row, task, cause, done, took, open, chosen, current, onToggle, onChoose }: PathRowProps) {
  const said = text.tree;
  const { path, name, weight } = row.node;
  const stale = staleWords(cause);
  const shape = shapes[task.status];
  return (
    <div
      className={`tn ${chosen ? "at" : ""}`}
      role="treeitem"
      data-path={path}
      data-status={task.status}
      aria-level={row.level}
      aria-posinset={row.place}
      aria-setsize={row.siblings}
      aria-expanded={open}
      aria-selected={chosen}
      tabIndex={current ? 0 : -1}
      onClick={() => {
        onChoose(path);
        setParams({ path });
      }}
    >
      <span className="nm">
        {Array.from({ length: row.level - 1 }, (_, n) => (
          <span key={n} className="g" />
        ))}
        <span
          className={`tw ${open === false ? "shut" : ""}`}
          aria-hidden="true"
          onClick={(event) => {
            if (open === undefined) return;
            event.stopPropagation();
            onToggle(path);
          }}
        >
          {open !== undefined && <Icon name="down" size={12} />}
        </span>
        <bdi className="mono strong">{name}</bdi>
        {task.stale && (
          <span className="stale warn">
            <Mark shape="stale" />
            <bdi>{stale}</bdi>
          </span>
        )}
        <small>
          <bdi>{noteOf(row.node, task)}</bdi>
        </small>
      </span>
      <State shape={shape} quiet />
      <span className={`prog ${toneOf(shape)}`} aria-hidden="true">
        <i className={task.status === "ok" || done === 1 ? "" : "part"} style={{ width: `${100 * done}%` }} />
      </span>
      <span className="num">{task.status === "skipped" ? said.nothing : percent(Math.floor(100 * done) / 100)}</span>
      <span className="num dim">{weight === 0 ? "" : rate(weight)}</span>
      <span className="num dim">{took === null ? said.nothing : duration(took)}</span>
    </div>
  );
}

const PathRow = memo(
  PathRowOf,
  // What is toggled or chosen is found by its path: another function in each render changes nothing that is seen.
  (a, b) =>
    (["task", "done", "took", "open", "chosen", "current"] as const).every((name) => a[name] === b[name]) &&
    staleWords(a.cause) === staleWords(b.cause) &&
    a.row.node === b.row.node &&
    a.row.siblings === b.row.siblings,
);

function staleWords(cause: Cause | null): string {
  const said = text.tree;
  switch (cause?.what) {
    case "stale":
      return said.staleBy(nameOf(cause.path));
    case "again":
      return said.staleAgain(nameOf(cause.path));
    case "data":
      return said.staleData(cause.names);
    default:
      return said.stale;
  }
}

const nameOf = (path: string) => path.slice(path.lastIndexOf(".") + 1);

/** What stands small beside a name: what it says of itself, or what is known of it. */
function noteOf(node: Task, task: TaskState): string {
  const said = text.tree;
  if (task.error && task.status !== "ok")
    return `${task.error.type}${(task.attempt ?? 0) > 1 ? `, ${said.attempt(task.attempt!)}` : ""}`;
  if (task.because) return task.because;
  if (task.message && task.status !== "inactive") return task.message;
  if (task.status === "skipped") return said.conditionFalse;
  const waits = [...new Set(Object.values(node.sources as Record<string, string>))].filter(Boolean);
  const facts = [
    node.description,
    node.tasks.length > 1 && (node.order === "parallel" ? said.sideBySide : said.inSequence),
    node.queue && said.queue(node.queue),
    task.status === "inactive" && waits.length > 0 && said.needs(waits),
  ];
  return facts.filter(Boolean).join(" · ");
}
