/** One tree: how it stands, each path with its share of the whole, what one was given and gave, and what may be run. */
import { useWorkflow, type TaskStatus, type TreeView } from "@typed-flows/react";
import { useMemo, useState } from "react";
import type { PageProps } from "..";
import { useCommands } from "../../keys/commands";
import { LinkButton } from "../../parts/Button";
import { Card } from "../../parts/Card";
import { Empty } from "../../parts/Empty";
import { Json } from "../../parts/Json";
import { Mark } from "../../parts/State";
import { useTabTitle } from "../../parts/Title";
import { Watched, type Shown } from "../../parts/Watched";
import { setParams } from "../../route";
import { count, shortId } from "../../format";
import * as text from "../../text";
import { Dialogs, type Which } from "./Dialogs";
import { Explained } from "./Explained";
import { Head } from "./Head";
import { Panel } from "./Panel";
import { Paths } from "./Paths";
import { countsOf, find, standingOf, type Counts, type Tree as TreeOf } from "./stand";
import { useActs } from "./useActs";

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
      {(tree, shown) => (
        <Page key={id} tree={tree} shown={shown} chosen={params.get("path")} only={params.get("state")} />
      )}
    </Watched>
  );
}

interface Props {
  tree: TreeOf;
  shown: Shown;
  chosen: string | null;
  only: string | null;
}

function Page({ tree, shown, chosen, only }: Props) {
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
      <Chips counts={counts} only={only} />
      <div className="side wide">
        <div className="stack">
          <Paths tree={tree} standing={standing} counts={counts} chosen={task?.path ?? null} only={only} />
          <Card title={text.tree.data} more={<bdi>{text.tree.dataOf(tree.generator)}</bdi>}>
            <Json value={tree.data} />
          </Card>
        </div>
        {task ? (
          <Panel key={task.path} tree={tree} task={task} standing={standing} acts={acts} />
        ) : (
          <Card className="pad sub">{text.tree.panel.pick}</Card>
        )}
      </div>
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
