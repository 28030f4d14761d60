/** The last executions of a tree: what was asked for, and how it has ended. */
import type { TreeExecutionsView } from "@typed-flows/react";
import { useEffect, useState } from "react";
import { ask } from "../../ask";
import { duration, msOf, useNow } from "../../format";
import { Ago } from "../../parts/Ago";
import { Card } from "../../parts/Card";
import { Link } from "../../parts/Link";
import { State } from "../../parts/State";
import { at } from "../../route";
import * as text from "../../text";
import { shapeOf, type Standing, type Tree } from "./stand";

const SHOWN = 8;

export function Executions({ tree, standing }: { tree: Tree; standing: Standing }) {
  const said = text.tree.executions;
  const [found, setFound] = useState<TreeExecutionsView | null>(null);
  const { id, app } = tree;
  const { execution, status } = standing;
  useEffect(() => {
    const gone = new AbortController();
    ask("trees.executions", { id, app, limit: SHOWN }, gone.signal).then(setFound, () => {});
    return () => gone.abort();
  }, [id, app, execution, status]); // each begin and each end is told
  const now = useNow();
  return (
    <Card title={said.title} more={found?.more ? said.more : undefined}>
      {found?.executions.length === 0 && <p className="pad sub">{text.tree.explained.never}</p>}
      {found !== null && found.executions.length > 0 && (
        <table className="list execs">
          <thead>
            <tr>
              <th>{said.heads.began}</th>
              <th>{said.heads.what}</th>
              <th className="num">{said.heads.took}</th>
              <th className="num">{said.heads.ended}</th>
            </tr>
          </thead>
          <tbody>
            {found.executions.map((one) => {
              // What is told is newer than what was asked.
              const is = one.id === execution ? status : one.status;
              const ended = is === "working" ? now : one.ended == null ? null : msOf(one.ended);
              return (
                <tr key={one.id}>
                  <td className="nowrap">
                    <Link to={at("runs", one.id)}>
                      <Ago at={one.began} />
                    </Link>
                  </td>
                  <td className="cut wide">
                    <bdi className={one.path && one.path !== "#" ? "mono" : ""}>
                      {one.path === "#" ? text.tree.all : one.path || text.tree.nothing}
                    </bdi>
                    {one.schedule != null && (
                      <small className="dim">
                        {" "}
                        <bdi>{said.by(one.schedule)}</bdi>
                      </small>
                    )}
                  </td>
                  <td className="num dim nowrap">
                    {ended === null ? text.tree.nothing : duration(Math.max(0, ended - msOf(one.began)))}
                  </td>
                  <td className="num nowrap">
                    <State shape={shapeOf[is]} word={is === "idle" ? said.later : text.trees.statuses[is]} quiet />
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      )}
    </Card>
  );
}
