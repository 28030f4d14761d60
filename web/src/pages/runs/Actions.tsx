/** Who has done what with a run. */
import type { ActionView, Live, RunView } from "@typed-flows/react";
import { useEffect, useState } from "react";
import { ask } from "../../ask";
import { time, timeFull } from "../../format";
import { useWhyNot } from "../../me";
import { Card } from "../../parts/Card";
import * as text from "../../text";

/** By these somebody has started a run; without one of them code or a schedule has. */
const MADE = new Set(["runs.start", "runs.fork", "schedules.trigger"]);

export function Actions({ run, closed }: { run: Live<RunView>; closed: number }) {
  const off = useWhyNot()("audit.list");
  const [found, setFound] = useState<ActionView[] | null>(null);
  const { id, status, since, attempts } = run;
  useEffect(() => {
    if (off) return;
    const gone = new AbortController();
    ask("audit.list", { about: id, limit: 50 }, gone.signal).then(
      (page) => setFound(page.actions.filter((one) => one.word !== "asked")),
      () => {},
    );
    return () => gone.abort();
  }, [off, id, status, since, attempts, closed]); // who acts on a run changes one of these
  const { actions } = text.run;
  return (
    <Card title={actions.title} more={found?.length || undefined}>
      {off ? (
        <p className="pad sub">{actions.notYours}</p>
      ) : (
        <table>
          <tbody>
            {found?.map((one) => (
              <tr key={one.id}>
                <td className="nowrap" title={timeFull(one.at)}>
                  {time(one.at)}
                </td>
                <td>
                  <bdi>{one.caller}</bdi>
                </td>
                <td>
                  <bdi>{actions.word(one.operation, one.word)}</bdi>
                </td>
              </tr>
            ))}
            {!found?.some((one) => MADE.has(one.operation) && one.given.id !== id) && (
              <tr>
                <td className="nowrap" title={timeFull(run.created)}>
                  {time(run.created)}
                </td>
                <td>{run.schedule ?? actions.code}</td>
                <td>{actions.started(run.queue)}</td>
              </tr>
            )}
          </tbody>
        </table>
      )}
    </Card>
  );
}
