/** Each try of the steps that were tried more than once, or failed: when, how long, how it ended, what followed. */
import type { Live, RunView } from "@typed-flows/react";
import { useMemo } from "react";
import { duration, time, timeExact } from "../../format";
import { Card } from "../../parts/Card";
import { State } from "../../parts/State";
import * as text from "../../text";
import { rowsOf, visitsOf, type Bar, type Row, type Visit } from "./waterfall/bars";

/** The newest are shown. */
const MOST = 100;

export function Tries({ run }: { run: Live<RunView> }) {
  const found = useMemo(() => {
    const visits = visitsOf(run);
    const rows = rowsOf(run, visits, Date.parse(run.since));
    return rows
      .flatMap((row) => triesOf(row, visits))
      .sort((a, b) => a.bar.from - b.bar.from)
      .slice(-MOST);
  }, [run]);
  const { tries } = text.run;
  if (!found.length) return null;
  return (
    <Card title={tries.title} more={tries.more}>
      <table className="list mid tries">
        <thead>
          <tr>
            <th>{tries.visit}</th>
            <th>{tries.step}</th>
            <th>{tries.try}</th>
            <th>{tries.began}</th>
            <th className="num">{tries.ran}</th>
            <th>{tries.as}</th>
            <th>{tries.then}</th>
          </tr>
        </thead>
        <tbody>
          {found.map((one) => (
            <tr key={`${one.name} ${one.bar.from}`}>
              <td className="dim">{one.visit}</td>
              <td className="mono">
                <bdi>{one.name}</bdi>
              </td>
              <td>
                <span className="only-s">{tries.try} </span>
                {one.bar.attempt}
              </td>
              <td title={timeExact(one.bar.from)} className="hide-s nowrap">
                {time(one.bar.from)}
              </td>
              <td className="num nowrap">{duration(one.bar.to - one.bar.from)}</td>
              <td>
                <State shape={one.shape} />
              </td>
              <td className="wide">
                {one.bar.error && (
                  <bdi className="err">
                    {one.bar.error}
                    {one.then && " · "}
                  </bdi>
                )}
                {one.then}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Card>
  );
}

interface Try {
  name: string;
  visit: number;
  bar: Bar;
  shape: "failed" | "undone" | "done";
  then: string;
}

function triesOf(row: Row, visits: readonly Visit[]): Try[] {
  const { tries } = text.run;
  const bars = row.bars.filter((bar) => bar.attempt > 0);
  if (bars.length < 2 && !bars.some((bar) => bar.error)) return [];
  const visitOf = (at: number) => visits.findLastIndex((one) => one.from <= at) + 1 || 1;
  return bars.map((bar) => {
    const i = row.bars.indexOf(bar);
    const next = row.bars[i + 1];
    const after = row.bars.slice(i + 1).find((one) => one.attempt > 0);
    const visit = visitOf(bar.from);
    const undone =
      bar.kind !== "undo" && !bar.error && ((after && visitOf(after.from) > visit) || (!after && row.undone));
    const then =
      next?.kind === "backed"
        ? tries.backsOff(duration(next.to - next.from))
        : undone
          ? tries.undone
          : bar.error && (!after || visitOf(after.from) > visit)
            ? tries.last
            : "";
    return { name: row.step.name, visit, bar, shape: bar.error ? "failed" : undone ? "undone" : "done", then };
  });
}
