/** What there is to say of a queue in which very many wait: how it grows, when it would be empty, for how long they wait. */
import { useTopic, type Live, type QueueView, type Queues } from "@typed-flows/react";
import { useEffect, useState } from "react";
import { ask } from "../../ask";
import { count, duration, msOf, rate, seconds } from "../../format";
import { Card } from "../../parts/Card";
import { LinkButton } from "../../parts/Button";
import { Meter } from "../../parts/Meter";
import { Sentence } from "../../parts/Sentence";
import { withParams } from "../../route";
import * as text from "../../text";

const said = text.jobs.places;
const MINUTE = 60_000;
/** The parts of the list whose first jobs are looked at. */
const PARTS = [0, 0.25, 0.5, 0.75] as const;

export function useQueue(queue: string): Live<QueueView> | null {
  const { state } = useTopic<Queues>(`queue/${queue}`);
  return state?.queues.find((one) => one.name === queue) ?? null;
}

export function Grows({ queue, total }: { queue: Live<QueueView>; total: number }) {
  const more = (queue.came ?? 0) - (queue.left ?? 0);
  const head =
    more > 0.5 ? said.grows(total, rate(more)) : more < -0.5 ? said.shrinks(total, rate(-more)) : said.stands(total);
  return (
    <Sentence head={head} acts={<LinkButton to={withParams("limits", { flow: queue.flow })}>{said.limits}</LinkButton>}>
      {queue.left ? said.lastStarts(duration((total / queue.left) * MINUTE)) : said.neverStarts} {said.window}
    </Sentence>
  );
}

export function Outlook({
  queue,
  query,
  flow,
  total,
}: {
  queue: Live<QueueView>;
  query: string;
  flow: string;
  total: number;
}) {
  return (
    <div className="two">
      <Ages query={query} flow={flow} total={total} oldest={queue.oldest ?? null} />
      <Emptied queue={queue} total={total} />
    </div>
  );
}

function Emptied({ queue, total }: { queue: Live<QueueView>; total: number }) {
  const came = queue.came ?? 0;
  const left = queue.left ?? 0;
  const pace = Math.max(left, came, 1);
  const rows = [
    [said.asNow, left],
    [said.at(rate(pace * 1.5)), pace * 1.5],
    [said.at(rate(pace * 3)), pace * 3],
  ] as const;
  const times = rows.map(([, out]) => (out > came ? total / (out - came) : Infinity));
  const longest = Math.max(...times.filter(Number.isFinite), 1);
  return (
    <Card title={said.empty} more={said.comes(rate(came))}>
      <div className="pad">
        {rows.map(([name], n) => {
          const never = !Number.isFinite(times[n]!);
          const time = never ? said.never : duration(times[n]! * MINUTE);
          return (
            <div className="hbar plain" key={name}>
              <span>{name}</span>
              <Meter part={never ? 0 : times[n]! / longest} label={`${name}: ${time}`} />
              <b className="num">{time}</b>
            </div>
          );
        })}
      </div>
    </Card>
  );
}

function Ages({ query, flow, total, oldest }: { query: string; flow: string; total: number; oldest: number | null }) {
  const [ages, setAges] = useState<readonly { place: number; age: number }[]>([]);
  const size = Math.round(Math.log2(Math.max(1, total)) * 8); // looked at anew when it is another order of magnitude
  useEffect(() => {
    let over = false;
    const places = PARTS.map((part) => Math.floor(part * total));
    Promise.all(places.map((at) => ask("jobs.find", { query, flow, at, limit: 1 }))).then(
      (pages) => {
        const found = pages.flatMap(({ jobs: [job] }, n) =>
          job ? [{ place: places[n]!, age: Math.max(0, Date.now() - msOf(job.since)) }] : [],
        );
        if (!over) setAges(found);
      },
      () => {}, // the list itself says what is wrong
    );
    return () => {
      over = true;
    };
  }, [query, flow, size]);
  const longest = Math.max(1, ...ages.map((one) => one.age));
  return (
    <Card title={said.howLong} more={oldest === null ? undefined : said.oldest(seconds(oldest))}>
      <div className="pad">
        {ages.map(({ place, age }) => (
          <div className="hbar plain" key={place}>
            <span>{said.from(count(place + 1))}</span>
            <Meter part={age / longest} label={`${said.from(count(place + 1))}: ${duration(age)}`} />
            <b className="num">{duration(Math.round(age / 1000) * 1000)}</b>
          </div>
        ))}
      </div>
    </Card>
  );
}
