/** What the newer of two releases declares otherwise, and what that means while both work. */
import type { DifferenceView, Live, ReleasesView } from "@typed-flows/react";
import { useState } from "react";
import { Button } from "../../parts/Button";
import { Card } from "../../parts/Card";
import { Icon } from "../../parts/Icon";
import * as text from "../../text";

const SHOWN = 6;

export function Declares({ state, now }: { state: Live<ReleasesView>; now: string }) {
  const [whole, setWhole] = useState(false);
  const all = state.differences;
  const some = whole ? all : all.slice(0, SHOWN);
  return (
    <Card title={text.releases.declares}>
      {all.length === 0 ? (
        <p className="pad sub">{text.releases.nothing}</p>
      ) : (
        <table className="mid declares">
          <thead>
            <tr>
              <th scope="col">{text.releases.what}</th>
              <th scope="col">{text.releases.changed(now)}</th>
              <th scope="col">{text.releases.means}</th>
            </tr>
          </thead>
          <tbody>
            {some.map((one, i) => (
              <tr key={i}>
                <td>
                  <bdi className="mono">{one.queue ?? text.releases.ofFlow}</bdi>
                </td>
                <td>
                  <Change of={one} />
                </td>
                <td className="sub">{meaning(one, now)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <div className="foot">
        <span className="processing">
          <Icon name="info" />
        </span>
        <span className="sub grow">{text.releases.both}</span>
        {all.length > SHOWN && (
          <Button look="small" onPress={() => setWhole(!whole)}>
            {whole ? text.workers.showFewer : text.workers.showAll(String(all.length))}
          </Button>
        )}
      </div>
    </Card>
  );
}

type One = Live<DifferenceView>;

function Change({ of }: { of: One }) {
  const { kind, write } = text.releases;
  if (of.what === "queue") return <b>{of.was == null ? text.releases.queueNew : text.releases.queueGone}</b>;
  const now = <b className="mono">{write(of.what, of.now ?? null)}</b>;
  if (of.what === "field" && of.was == null)
    return (
      <>
        {text.releases.field} <bdi className="mono strong">{of.name}</bdi>: {now}
      </>
    );
  return (
    <>
      {of.what === "field" ? text.releases.field : kind(of.what)} <bdi className="mono">{of.name}</bdi>{" "}
      {write(of.what, of.was ?? null)} {text.releases.became} {now}
    </>
  );
}

function meaning(of: One, now: string): string {
  if (of.what === "queue") return of.was == null ? text.releases.queueNewMeans(now) : text.releases.queueGoneMeans;
  if (of.what !== "field") return text.releases.meaning(of.what);
  if (of.now == null) return text.releases.fieldGone;
  return of.fits == null ? text.releases.fieldChanged : of.fits ? text.releases.fieldFits : text.releases.fieldMisfit;
}
