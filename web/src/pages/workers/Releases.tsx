/** Two releases of a flow side by side, while both work or where somebody asks for it. */
import { useTopic, type Live, type ReleaseFigures, type ReleasesView } from "@typed-flows/react";
import type { ReactNode } from "react";
import { bytes, count, duration, msOf, percentFine, timeShort, useNow } from "../../format";
import { Ago } from "../../parts/Ago";
import { Button } from "../../parts/Button";
import { Card } from "../../parts/Card";
import { setParams } from "../../route";
import * as text from "../../text";
import { Declares } from "./Declares";
import { compared, type Difference } from "./compared";
import { busyOf, shortRelease, type Worker } from "./order";

type Figures = Live<ReleaseFigures>;

export function Releases({ flow, asked, all }: { flow: string; asked: boolean; all: readonly Worker[] }) {
  const { state } = useTopic<ReleasesView>(`releases/${encodeURIComponent(flow)}`);
  const now = state?.releases.find((one) => one.digest === state.new);
  const old = state?.releases.find((one) => one.digest === state.old);
  if (!state || !now) return null;
  const both = now.processes > 0 && (old?.processes ?? 0) > 0;
  if (!old || !(both || asked))
    return (
      <p className="sub gap">
        {text.workers.release} <span className="chip mono">{shortRelease(now.digest)}</span>
        {now.since != null && (
          <span>
            {text.releases.one(shortRelease(now.digest))} <Ago at={now.since} />
          </span>
        )}
        {old && (
          <Button look="small" onPress={() => setParams({ compare: "1" })}>
            {text.releases.compareWith(shortRelease(old.digest))}
          </Button>
        )}
      </p>
    );
  return (
    <div className="two">
      <Card
        title={`${text.releases.deploy} ${shortRelease(old.digest)} ${text.releases.to} ${shortRelease(now.digest)}`}
        more={
          both ? (
            now.since != null && <Since at={now.since} />
          ) : (
            <Button look="small" onPress={() => setParams({ compare: null })}>
              {text.releases.hide}
            </Button>
          )
        }
      >
        {both && <Story now={now} old={old} all={all} />}
        <Compare now={now} old={old} />
      </Card>
      <Declares state={state} now={shortRelease(now.digest)} />
    </div>
  );
}

function Since({ at }: { at: string }) {
  const now = useNow();
  return <>{text.releases.since(duration(Math.max(0, Math.round((now - msOf(at)) / 1000) * 1000)))}</>;
}

function Story({ now, old, all }: { now: Figures; old: Figures; all: readonly Worker[] }) {
  const total = now.processes + old.processes;
  const leaving = old.leaving;
  const rest = old.processes - leaving;
  const busy = all
    .filter((one) => one.digest === old.digest && one.state === "leaving")
    .reduce((n, one) => n + busyOf(one), 0);
  const cells = [...Array<string>(now.processes).fill(""), ...Array<string>(leaving).fill("go")];
  return (
    <div className="pad story">
      <p>{text.releases.story(now.processes, total, timeShort(now.since ?? Date.now()), leaving, busy, rest)}</p>
      <div className="roll" role="img" aria-label={text.releases.roll(now.processes, leaving, rest)}>
        {[...cells, ...Array<string>(rest).fill("old")].slice(0, 120).map((kind, i) => (
          <i key={i} className={kind} />
        ))}
      </div>
    </div>
  );
}

function Compare({ now, old }: { now: Figures; old: Figures }) {
  const { rows, words } = text.releases;
  const lines: [string, (of: Figures) => ReactNode, Difference][] = [
    [rows.processes, (of) => count(of.processes), null],
    [rows.perMinute, (of) => (of.per_minute == null ? "–" : count(Math.round(of.per_minute))), null],
    [
      rows.failed,
      (of) => (of.failed == null ? "–" : percentFine(of.failed)),
      compared(old.failed, now.failed, words.fewer, words.more, 0.001),
    ],
    [
      rows.start,
      (of) => (of.start_p95 == null ? "–" : duration(of.start_p95)),
      compared(old.start_p95, now.start_p95, words.faster, words.slower, 5),
    ],
    [
      rows.run,
      (of) => (of.run_p95 == null ? "–" : duration(of.run_p95)),
      compared(old.run_p95, now.run_p95, words.faster, words.slower, 1),
    ],
    [rows.rss, (of) => (of.rss == null ? "–" : bytes(of.rss)), compared(old.rss, now.rss, words.less, words.more, 1)],
    [
      rows.lag,
      (of) => (of.lag == null ? "–" : duration(of.lag)),
      compared(old.lag, now.lag, words.less, words.more, 5),
    ],
  ];
  return (
    <table className="cmp-t">
      <thead>
        <tr>
          <td />
          <th scope="col" className="num">
            {text.releases.old(shortRelease(old.digest))}
          </th>
          <th scope="col" className="num">
            {text.releases.new(shortRelease(now.digest))}
          </th>
          <td />
        </tr>
      </thead>
      <tbody>
        {lines.map(([name, write, difference]) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td className="num strong">{write(old)}</td>
            <td className="num strong">{write(now)}</td>
            <td className={difference?.tone}>{difference?.words}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
