/** What operators have done to this job, newest first. */
import type { ActionView } from "@typed-flows/react";
import { useEffect, useState } from "react";
import { ask } from "../../ask";
import { time, timeFull } from "../../format";
import { useMe } from "../../me";
import { Bones } from "../../parts/Bones";
import { Card } from "../../parts/Card";
import * as text from "../../text";

const said = text.job.actions;
const MOST = 20;

interface Props {
  id: string;
  /** What changes when the job moves: then something may have been done. */
  moved: string;
}

export function Taken({ id, moved }: Props) {
  const me = useMe();
  const may = me.operations.includes("audit.list");
  const [actions, setActions] = useState<readonly ActionView[] | null>(null);
  useEffect(() => {
    if (!may) return;
    const gone = new AbortController();
    ask("audit.list", { about: id, limit: MOST * 2 }, gone.signal).then(
      (page) => setActions(page.actions.filter((one) => one.word !== "asked").slice(0, MOST)),
      () => {}, // what was known stays
    );
    return () => gone.abort();
  }, [may, id, moved]);
  return (
    <Card title={said.title} more={actions?.length || undefined}>
      {!may ? (
        <p className="pad dim">{said.hidden}</p>
      ) : actions === null ? (
        <Bones rows={2} />
      ) : actions.length === 0 ? (
        <p className="pad dim">{said.none}</p>
      ) : (
        <table className="taken">
          <tbody>
            {actions.map((one) => (
              <tr key={one.id}>
                <td className="nowrap">
                  <time dateTime={one.at} title={timeFull(one.at)}>
                    {time(one.at)}
                  </time>
                </td>
                <td>
                  <bdi>{one.caller}</bdi>
                </td>
                <td>
                  <bdi>{said.word(one.operation, one.word)}</bdi>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Card>
  );
}
