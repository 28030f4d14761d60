/** One tree: how it stands, each path with its share of the whole, what one was given and gave, and what may be run. */
import { useWorkflow, type TaskStatus, type TreeView } from "@typed-flows/react";
import { lazy, Suspense, useMemo, useState } from "react";
import type { PageProps } from "..";
import { useCommands } from "../../keys/commands";
import { LinkButton } from "../../parts/Button";
import { Card } from "../../parts/Card";
import { Bones } from "../../parts/Bones";
import { Empty } from "../../parts/Empty";
import { Json } from "../../parts/Json";
import { Segments } from "../../parts/Segments";
import { Mark } from "../../parts/State";
import { useTabTitle } from "../../parts/Title";
import { Watched, type Shown } from "../../parts/Watched";
import { setParams } from "../../route";
import { count, shortId } from "../../format";
import * as text from "../../text";
import { Dialogs, type Which } from "./Dialogs";
import { Executions } from "./Executions";
import { Explained } from "./Explained";
import { Graph } from "./Graph";
import { Head } from "./Head";
import { Panel } from "./Panel";
import { Paths } from "./Paths";
import { countsOf, find, standingOf, type Counts, type Tree as TreeOf } from "./stand";
import { Timeline } from "./Timeline";
import { useActs } from "./useActs";

/** Few edit data: the form comes when somebody does. */
const EditData = lazy(() => import("./EditData"));

const VIEWS = Object.entries(text.tree.views) as [View, string][];
type View = keyof typeof text.tree.views;
const isView = (name: string | null): name is View => name !== null && Object.hasOwn(text.tree.views, name);

export default function Tree({ args, params }: PageProps) {
  const id = args.id!;
  useTabTitle(`${text.frame.tree} ${shortId(id)}`);
  return (
    <Watched<TreeView>
      topic={`tree/${encodeURIComponent(id)}`}
      rows={8}
      missing={(error) => (
        <Empty head={text.tree.missing} acts={<LinkButton to="trees">{text.tree.allTrees}</LinkButton>}>
          {error.message}
        </Empty>
      )}
    >
      {(tree, shown) => <Page key={id} tree={tree} shown={shown} params={params} />}
    </Watched>
  );
}

interface Props {
  tree: TreeOf;
  shown: Shown;
  params: URLSearchParams;
}

function Page({ tree, shown, params }: Props) {
  const [chosen, only, viewed] = [params.get("path"), params.get("state"), params.get("view")];
  const view = isView(viewed) ? viewed : "tree";
  const edits = params.get("edit") === "data" && tree.json_schema != null;
  const told = useWorkflow(tree.id);
  const standing = useMemo(() => standingOf(tree, told), [tree, told]);
  const counts = useMemo(() => countsOf(tree.tasks, standing), [tree.tasks, standing]);
  const [which, open] = useState<Which | null>(null);
  const acts = useActs(tree, standing, shown.old, open);
  const task = chosen === null ? null : find(tree.tasks, chosen);
  useCommands([
    { key: "clear", run: () => setParams({ path: null }) },
    { key: "retry", off: acts.runAll.off, title: text.tree.runAll, run: acts.runAll.run },
    { key: "cancel", off: acts.cancel.off, run: acts.cancel.run },
    { key: "copyLink", run: acts.copyLink.run },
  ]);
  return (
    <div className="stack">
      <Head tree={tree} standing={standing} acts={acts} />
      <Explained standing={standing} counts={counts} acts={acts} />
      {edits ? (
        <Suspense fallback={<Bones rows={4} />}>
          <EditData tree={tree} off={acts.edit.off} />
        </Suspense>
      ) : (
        <>
          <div className="gap treeview">
            <Chips counts={counts} only={only} />
            <Segments
              label={text.tree.viewLabel}
              options={VIEWS}
              value={view}
              onChange={(one) => setParams({ view: one === "tree" ? null : one })}
            />
          </div>
          <div className="side wide">
            <div className="stack">
              {view === "tree" && (
                <Paths tree={tree} standing={standing} counts={counts} chosen={task?.path ?? null} only={only} />
              )}
              {view === "timeline" && <Timeline tree={tree} standing={standing} chosen={task?.path ?? null} />}
              {view === "graph" && <Graph tree={tree} standing={standing} chosen={task?.path ?? null} />}
              <div className="duo">
                <Card title={text.tree.data} more={<bdi>{text.tree.dataOf(tree.generator)}</bdi>}>
                  <Json value={tree.data} />
                </Card>
                <Executions tree={tree} standing={standing} />
              </div>
            </div>
            {task ? (
              <Panel key={task.path} tree={tree} task={task} standing={standing} acts={acts} />
            ) : (
              <Card className="pad sub">{text.tree.panel.pick}</Card>
            )}
          </div>
        </>
      )}
      {which && <Dialogs which={which} tree={tree} onClose={() => open(null)} />}
    </div>
  );
}

const ORDER: readonly (TaskStatus | "stale")[] = [
  ...(["ok", "running", "queued", "failed", "cancelled", "inactive", "skipped", "stale"] as const),
];

function Chips({ counts, only }: { counts: Counts; only: string | null }) {
  return (
    <div className="filters" role="group" aria-label={text.trees.statesLabel}>
      {ORDER.filter((one) => counts.of.has(one) || one === only).map((one) => (
        <button
          key={one}
          type="button"
          className={`filter ${one === only ? "on all" : ""}`}
          aria-pressed={one === only}
          onClick={() => setParams({ state: one === only ? null : one })}
        >
          <Mark shape={one} />
          {text.states[one]}
          <b>{count(counts.of.get(one) ?? 0)}</b>
        </button>
      ))}
    </div>
  );
}
