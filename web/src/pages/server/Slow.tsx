import type { SlowView } from "@typed-flows/react";
import { count, duration } from "../../format";
import { Ago } from "../../parts/Ago";
import { Bones } from "../../parts/Bones";
import { Card } from "../../parts/Card";
import * as text from "../../text";

const SHOWN = 20;

/** Scripts and commands that the server has found slow, the worst first. */
export function Slow({ slow }: { slow: SlowView | null }) {
  const server = text.server;
  const { slowHeads: heads } = server;
  return (
    <Card title={server.slow} more={server.slowMore}>
      {slow === null ? (
        <Bones rows={3} />
      ) : !slow.told || slow.commands.length === 0 ? (
        <p className="pad sub">{slow.told ? server.slowNone : server.slowUntold}</p>
      ) : (
        <table className="mid">
          <thead>
            <tr>
              <th scope="col">{heads.name}</th>
              <th scope="col" className="num">
                {heads.count}
              </th>
              <th scope="col" className="num">
                {heads.worst}
              </th>
              <th scope="col" className="num">
                {heads.last}
              </th>
            </tr>
          </thead>
          <tbody>
            {slow.commands.slice(0, SHOWN).map((one) => (
              <tr key={`${one.script} ${one.name}`}>
                <td>
                  <bdi className="mono strong">{one.name}</bdi>{" "}
                  <span className="dim">{one.script ? server.script : server.other}</span>
                </td>
                <td className="num">{count(one.count)}</td>
                <td className="num">{duration(one.worst)}</td>
                <td className="num nowrap">
                  <Ago at={one.last} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Card>
  );
}
