/** Which tree it is, how it stands, and what may be done with it. */
import type { ReactNode } from "react";
import { count, shortId } from "../../format";
import { Ago } from "../../parts/Ago";
import { Button } from "../../parts/Button";
import { Link } from "../../parts/Link";
import { Menu } from "../../parts/Menu";
import { State } from "../../parts/State";
import { at, withParams } from "../../route";
import * as text from "../../text";
import { word } from "../runs/query";
import { shapeOf, type Standing, type Tree } from "./stand";
import type { Acts } from "./useActs";

export function Head({ tree, standing, acts }: { tree: Tree; standing: Standing; acts: Acts }) {
  const said = text.tree;
  const { chips } = said;
  const found = (name: string, value: string) => withParams("trees", { q: word(name, value) });
  return (
    <div className="jobhd">
      <nav className="crumb" aria-label={said.crumb}>
        <Link to="trees">{text.trees.title}</Link> ›{" "}
        <Link to={found("app", tree.app)}>
          <bdi>{tree.app}</bdi>
        </Link>{" "}
        ›{" "}
        <Link to={found("generator", tree.generator)}>
          <bdi>{tree.generator}</bdi>
        </Link>
      </nav>
      <div className="l1">
        <h1>
          <bdi>{tree.name || shortId(tree.id)}</bdi>
        </h1>
        <State shape={shapeOf[standing.status]} word={text.trees.statuses[standing.status]} />
        <span className="spacer" />
        <Button icon="link" onPress={acts.copyLink.run}>
          {said.copyLink}
        </Button>
        <Button icon="edit" off={acts.edit.off} onPress={acts.edit.run}>
          {said.edit.act}
        </Button>
        <Button icon="play" off={acts.runAll.off} busy={acts.runAll.busy} onPress={acts.runAll.run}>
          {said.runAll}
        </Button>
        <Button icon="x" look="bad" off={acts.cancel.off} onPress={acts.cancel.run}>
          {said.cancel}
        </Button>
        <Menu
          label={said.more}
          icon="more"
          look=""
          items={[
            { text: said.rename, icon: "edit", off: acts.rename.off, onChoose: acts.rename.run },
            { text: said.destroy, icon: "bin", bad: true, off: acts.destroy.off, onChoose: acts.destroy.run },
          ]}
        />
      </div>
      <div className="l2">
        {tree.realm && (
          <Chip name={chips.realm}>
            <Link to={found("realm", tree.realm)}>{tree.realm}</Link>
          </Chip>
        )}
        {Object.entries(tree.labels).map(([name, value]) => (
          <Chip key={name} name={name}>
            <Link to={found(name, value)}>{value}</Link>
          </Chip>
        ))}
        <Chip name={chips.instance}>{tree.id}</Chip>
        {standing.execution && (
          <Chip name={chips.execution}>
            <Link to={at("runs", standing.execution)}>{shortId(standing.execution)}</Link>
          </Chip>
        )}
        <Chip name={chips.revision}>{count(standing.revision)}</Chip>
        {tree.ephemeral && <span className="chip">{chips.ephemeral}</span>}
        <span className="dim">
          {said.made} <Ago at={tree.created} />
        </span>
      </div>
    </div>
  );
}

function Chip({ name, children }: { name: string; children: ReactNode }) {
  return (
    <span className="chip cut">
      <bdi>{name}</bdi>{" "}
      <b>
        <bdi>{children}</bdi>
      </b>
    </span>
  );
}
