/** The chosen path: how it stands, what it was given, what to run with it, its result, its times and its log. */
import { useTaskLog, type TaskState, type TreeResultView } from "@typed-flows/react";
import { useEffect, useMemo, useState } from "react";
import { ask, Problem } from "../../ask";
import { bytes, count, duration, timeExact } from "../../format";
import { Button } from "../../parts/Button";
import { Card } from "../../parts/Card";
import { copy } from "../../parts/copy";
import { Facts } from "../../parts/Facts";
import { Json } from "../../parts/Json";
import { Mark, State } from "../../parts/State";
import { useToast } from "../../parts/Toast";
import { setParams } from "../../route";
import * as text from "../../text";
import { LogCard } from "../job/Log";
import { INACTIVE, shapes, type Standing, type Task, type Tree } from "./stand";
import { causeOf, flat, seenBy, usersOf, works, type Cause, type Seen } from "./why";
import type { Acts, RunOptions } from "./useActs";

interface Props {
  tree: Tree;
  task: Task;
  standing: Standing;
  acts: Acts;
}

export function Panel({ tree, task: node, standing, acts }: Props) {
  const said = text.tree.panel;
  const { path } = node;
  const task = standing.tasks.get(path) ?? INACTIVE;
  const view = tree.states[path];
  const seen = seenBy(node, tree);
  const made = (view?.order ?? 0) > 0;
  return (
    <div className="stack">
      <Card
        className="steppanel"
        title={
          <span className="gap">
            <Mark shape={shapes[task.status]} />
            <bdi className="mono wraps">{path}</bdi>
          </span>
        }
        more={<Button look="quiet" icon="x" label={said.close} onPress={() => setParams({ path: null })} />}
      >
        <div className="sec">
          <span className="gap">
            <State shape={shapes[task.status]} />
            {task.stale && <State shape="stale" />}
            {view && view.order > 0 && <span className="dim">{said.revision(view.order)}</span>}
          </span>
          {task.stale && (
            <p className="wraps">
              <bdi>{whyStale(causeOf(node, tree))}</bdi>
            </p>
          )}
          {task.because && <bdi>{task.because}</bdi>}
          {task.message && <bdi>{task.message}</bdi>}
          {node.description && <bdi className="sub">{node.description}</bdi>}
        </div>
        {task.error && (
          <div className="sec">
            <h3>{said.error}</h3>
            <p className="err wraps">
              <bdi>
                {task.error.type}: {task.error.message}
              </bdi>
            </p>
          </div>
        )}
        {seen.length > 0 && (
          <div className="sec">
            <h3>{made ? said.saw : said.reads}</h3>
            <dl className="kv">
              {seen.map((one) => (
                <Saw key={one.name} seen={one} made={made} />
              ))}
            </dl>
          </div>
        )}
        <RunIt node={node} tree={tree} acts={acts} />
        {task.bytes !== undefined && <Result tree={tree} path={path} task={task} />}
        <div className="sec">
          <h3>{said.times}</h3>
          <Facts
            of={[
              time(said.queued, task.queued),
              time(said.began, task.started),
              time(said.ended, task.ended),
              task.started !== undefined && task.ended !== undefined
                ? [said.took, duration(task.ended - task.started)]
                : null,
              (task.attempt ?? 0) > 0 ? [said.tries, count(task.attempt!)] : null,
            ]}
          />
        </div>
      </Card>
      <TaskLog id={tree.id} path={path} />
    </div>
  );
}

function TaskLog({ id, path }: { id: string; path: string }) {
  const told = useTaskLog(id, path);
  const log = useMemo(() => {
    const plain = { level: "", meta: {}, attempt: 1, late: false };
    const lines = told.map(([n, at, text]) => ({ n, at: new Date(at).toISOString(), text, ...plain }));
    return { lines, last: told.at(-1)?.[0] ?? 0, hidden: false };
  }, [told]);
  return <LogCard state={log} problem={null} />;
}

const time = (name: string, at: number | undefined) =>
  at === undefined ? null : ([name, <span className="mono">{timeExact(at)}</span>] as const);

function Saw({ seen: { name, from, then, now, other }, made }: { seen: Seen; made: boolean }) {
  const said = text.tree.panel;
  return (
    <>
      <dt>
        <bdi className="mono">{name}</bdi>
      </dt>
      <dd className={`gap ${other ? "warn" : ""}`}>
        <span className="wraps">
          {from === "" ? other ? said.sawDataOther : said.sawData : <bdi className="mono">{from}</bdi>}
          {from !== "" && said.sawAt(then, now, other)}
        </span>
        {made && (from === "" || then > 0) && <Mark shape={other ? "stale" : "ok"} />}
      </dd>
    </>
  );
}

function whyStale(cause: Cause | null): string {
  const said = text.tree.panel;
  switch (cause?.what) {
    case "stale":
      return said.staleBy(cause.path);
    case "again":
      return said.staleAgain(cause.path);
    case "data":
      return said.staleData(cause.names);
    default:
      return said.staleSays;
  }
}

/** So many of them are named. */
const MOST = 4;
/** Whom else a run is about. */
type Scope = "alone" | "group" | "users";

function RunIt({ node, tree, acts }: { node: Task; tree: Tree; acts: Acts }) {
  const said = text.tree.panel;
  const toast = useToast();
  const [scope, setScope] = useState<Scope>("alone");
  const [missing, setMissing] = useState(false);
  const options: RunOptions = {
    ...(missing && { missing: "run" }),
    ...(scope === "group" && { subtree: true }),
    ...(scope === "users" && { downstream: true }),
  };
  const users = useMemo(() => {
    const own = flat([node]).map((task) => task.path);
    const first = works(node) ? [node.path] : own;
    return [...usersOf(first, tree.tasks)].slice(first.length).map((path) => path.slice(path.lastIndexOf(".") + 1));
  }, [node, tree.tasks]);
  const scopes: readonly Scope[] = node.tasks.length ? ["alone", "group", "users"] : ["alone", "users"];
  return (
    <div className="sec">
      <h3>{said.run}</h3>
      <div role="radiogroup" aria-label={said.run} className="choices">
        {scopes.map((one) => (
          <label key={one} className="gap">
            <input type="radio" name="scope" checked={scope === one} onChange={() => setScope(one)} />
            <bdi>
              {one === "users" ? said.users(users.slice(0, MOST), Math.max(0, users.length - MOST)) : said[one]}
            </bdi>
          </label>
        ))}
      </div>
      <label className="gap">
        <input type="checkbox" checked={missing} onChange={(event) => setMissing(event.target.checked)} />
        {said.missing}
      </label>
      {acts.run.off && <p className="warn">{acts.run.off}</p>}
      <span className="gap">
        <Button
          icon="play"
          look="pri"
          off={acts.run.off}
          busy={acts.run.busy}
          onPress={() => acts.run.run(node.path, options)}
        >
          {said.act}
        </Button>
        <Button
          icon="code"
          onPress={() =>
            void copy(pythonOf(tree, node.path, options)).then((done) =>
              toast(done ? said.copied : text.parts.notCopied),
            )
          }
        >
          {said.asPython}
        </Button>
      </span>
    </div>
  );
}

function pythonOf(tree: Tree, path: string, { missing, subtree, downstream }: RunOptions): string {
  const given = [
    JSON.stringify(path),
    ...(missing ? [`missing="${missing}"`] : []),
    ...(subtree ? ["subtree=True"] : []),
    ...(downstream ? ["downstream=True"] : []),
  ];
  return `instance = await trees.get("${tree.id}")\nawait instance.execute(${given.join(", ")})`;
}

function Result({ tree, path, task }: { tree: Tree; path: string; task: TaskState }) {
  const said = text.tree.panel;
  const [found, setFound] = useState<TreeResultView | null>(null);
  const [wrong, setWrong] = useState<string | null>(null);
  const { id, app } = tree;
  const { bytes: size, ended } = task;
  const look = (whole: boolean, signal?: AbortSignal) =>
    ask("trees.result", { id, app, path, whole }, signal).then(setFound, (error) => {
      if (!signal?.aborted) setWrong(error instanceof Problem ? error.detail : String(error));
    });
  useEffect(() => {
    const gone = new AbortController();
    setWrong(null);
    void look(false, gone.signal);
    return () => gone.abort();
  }, [id, app, path, size, ended]);
  return (
    <div className="sec">
      <h3>
        {task.stale ? said.resultStale : said.result}
        {size !== undefined && ` · ${said.resultBytes(bytes(size))}`}
      </h3>
      {wrong && (
        <p className="err">
          <bdi>{wrong}</bdi>
        </p>
      )}
      {found && (
        <div className="result" tabIndex={0} role="group" aria-label={said.result}>
          <Json value={found.result} />
        </div>
      )}
      {found?.cut && (
        <p className="sub gap">
          {said.cut}
          <Button look="small" onPress={() => void look(true)}>
            {said.whole}
          </Button>
        </p>
      )}
    </div>
  );
}
