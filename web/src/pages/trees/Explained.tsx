/** How a tree stands, in a sentence; what has failed, what runs and what is stale below it. */
import { Button } from "../../parts/Button";
import { Mark } from "../../parts/State";
import * as text from "../../text";
import { shapeOf, type Counts, type Standing, type Tree } from "./stand";
import type { Acts } from "./useActs";

/** So many that run are told of. */
const MOST = 3;
/** The look of the sentence, as of an explanation of a run. */
const looks: Record<Tree["status"], string> = {
  idle: "waiting",
  working: "processing",
  done: "done",
  failed: "failed",
  cancelled: "cancelled",
};

interface Props {
  standing: Standing;
  counts: Counts;
  acts: Acts;
}

export function Explained({ standing, counts, acts }: Props) {
  const said = text.tree.explained;
  const { status, error, path } = standing;
  const run = [...standing.tasks].filter(([, task]) => task.status === "running");
  const running = run.filter(([path]) => !run.some(([other]) => other.startsWith(`${path}.`)));
  const stale = counts.of.get("stale") ?? 0;
  const failed = status === "failed" && path !== "" && path !== "#";
  return (
    <section className={`card explain of-${looks[status]}`} aria-label={said.title}>
      <Mark shape={shapeOf[status]} />
      <div>
        <p className="big">
          <bdi>{sentence(standing, counts)}</bdi>
        </p>
        <ul>
          {error && status === "failed" && (
            <li>
              <Mark shape="failed" />
              <bdi className="wraps">{said.error(error.type, error.message)}</bdi>
            </li>
          )}
          {running.slice(0, MOST).map(([path, task]) => (
            <li key={path}>
              <Mark shape="running" />
              <bdi>{said.runs(path, task.message ?? "")}</bdi>
            </li>
          ))}
          {stale > 0 && (
            <li>
              <Mark shape="stale" />
              {said.stale(stale)}
            </li>
          )}
        </ul>
      </div>
      <span className="acts">
        {failed && (
          <Button icon="retry" off={acts.run.off} busy={acts.run.busy} onPress={() => acts.run.run(path)}>
            <bdi>{said.again(path.slice(path.lastIndexOf(".") + 1))}</bdi>
          </Button>
        )}
      </span>
    </section>
  );
}

function sentence({ status, path, because }: Standing, { of }: Counts): string {
  const said = text.tree.explained;
  const left = (of.get("inactive") ?? 0) + (of.get("queued") ?? 0);
  switch (status) {
    case "idle":
      return said.never;
    case "working":
      return said.working(of.get("running") ?? 0, of.get("queued") ?? 0);
    case "done":
      return said.done;
    case "failed":
      return path && path !== "#" ? said.failed(path, left) : said.failedSomewhere;
    case "cancelled":
      return said.cancelled(because);
  }
}
