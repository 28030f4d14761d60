/** The tasks of a tree as a graph: what begins when what has ended. */
import { useMemo } from "react";
import { duration, useNow } from "../../format";
import { Card } from "../../parts/Card";
import { Mark } from "../../parts/State";
import { setParams } from "../../route";
import * as text from "../../text";
import { graphOf, MOST, type Graph as GraphOf, type Spot } from "./graph";
import { INACTIVE, shapes, tookOf, type Standing, type Tree } from "./stand";

/** In pixels: a place, and what is between two. */
const WIDE = 168;
const HIGH = 40;
const ACROSS = 48;
const DOWN = 12;

const leftOf = (column: number) => column * (WIDE + ACROSS);
const topOf = (row: number) => row * (HIGH + DOWN);

interface Props {
  tree: Tree;
  standing: Standing;
  chosen: string | null;
}

export function Graph({ tree, standing, chosen }: Props) {
  const said = text.tree.graph;
  const graph = useMemo(() => graphOf(tree.tasks), [tree.tasks]);
  const now = useNow();
  if (graph === null)
    return (
      <Card title={said.title} className="pad sub">
        {said.tooMany(MOST)}
      </Card>
    );
  const { spots, arrows, columns, rows } = graph;
  return (
    <Card title={said.title} more={said.counts(spots.length, arrows.length)}>
      <div className="graph" tabIndex={0} role="group" aria-label={said.title}>
        <div style={{ width: leftOf(columns) - ACROSS, height: topOf(rows) - DOWN }}>
          <Arrows graph={graph} chosen={chosen} standing={standing} />
          <ul>
            {spots.map((spot) => (
              <Place
                key={spot.task.path}
                spot={spot}
                standing={standing}
                now={now}
                chosen={spot.task.path === chosen}
                after={arrows.filter(({ to }) => to === spot.task.path).map(({ from }) => from)}
              />
            ))}
          </ul>
        </div>
      </div>
      <p className="foot sub">{said.legend}</p>
    </Card>
  );
}

function Arrows({ graph, standing, chosen }: { graph: GraphOf; standing: Standing; chosen: string | null }) {
  const spots = new Map(graph.spots.map((spot) => [spot.task.path, spot]));
  return (
    <svg width={leftOf(graph.columns)} height={topOf(graph.rows)} aria-hidden="true">
      {graph.arrows.map(({ from, to, given }) => {
        const ended = ["ok", "skipped"].includes(standing.tasks.get(from)?.status ?? "");
        return (
          <path
            key={`${from} ${to}`}
            className={`arrow ${given ? "" : "order"} ${ended ? "past" : ""} ${from === chosen || to === chosen ? "at" : ""}`}
            d={wayOf(spots.get(from)!, spots.get(to)!)}
          />
        );
      })}
    </svg>
  );
}

/** From the right of one place to the left of another; a long way goes between the rows, behind no other place. */
function wayOf(a: Spot, b: Spot): string {
  const [x, y] = [leftOf(a.column) + WIDE, topOf(a.row) + HIGH / 2];
  const [u, v] = [leftOf(b.column) - 6, topOf(b.row) + HIGH / 2];
  const half = ACROSS / 2;
  const head = "m-5 -4l5 4l-5 4";
  if (b.column - a.column <= 1) return `M${x} ${y}C${x + half} ${y} ${u - half} ${v} ${u} ${v}${head}`;
  const [lane, from, to] = [topOf(a.row) + HIGH + DOWN / 2, x + ACROSS - 8, u + 6 - ACROSS + 8];
  return `M${x} ${y}C${x + half} ${y} ${x + half} ${lane} ${from} ${lane}H${to}C${u - half} ${lane} ${u - half} ${v} ${u} ${v}${head}`;
}

interface PlaceProps {
  spot: Spot;
  standing: Standing;
  now: number;
  chosen: boolean;
  after: readonly string[];
}

function Place({ spot, standing, now, chosen, after }: PlaceProps) {
  const said = text.tree.graph;
  const { path, name } = spot.task;
  const task = standing.tasks.get(path) ?? INACTIVE;
  const took = tookOf(task, now);
  const shape = shapes[task.status];
  const small = spot.inside
    ? said.inside(spot.inside)
    : task.status === "running" && task.message
      ? task.message
      : took === null
        ? text.states[shape]
        : duration(took);
  return (
    <li style={{ left: leftOf(spot.column), top: topOf(spot.row), width: WIDE, height: HIGH }}>
      <button
        type="button"
        className={chosen ? "at" : ""}
        aria-pressed={chosen}
        title={path}
        data-path={path}
        data-status={task.status}
        onClick={() => setParams({ path })}
      >
        <Mark shape={shape} />
        <span className="says">
          <bdi className="mono strong">{name}</bdi>
          <small>
            <bdi>{small}</bdi>
          </small>
        </span>
        {task.stale && <Mark shape="stale" />}
        <span className="sr">
          {text.states[shape]}
          {task.stale && `, ${text.states.stale}`}
          {after.length > 0 && `, ${said.after(after)}`}
        </span>
      </button>
    </li>
  );
}
