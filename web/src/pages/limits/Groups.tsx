/** The groups of a queue: what each got against what is due to it, what it waits for, and until when. */
import type { GroupsPage, GroupView, Live, QueueView } from "@typed-flows/react";
import { useState } from "react";
import { ask } from "../../ask";
import { count } from "../../format";
import { Button } from "../../parts/Button";
import { Card } from "../../parts/Card";
import { Mark } from "../../parts/State";
import type { Shown } from "../../parts/Watched";
import * as text from "../../text";
import { GroupRow } from "./GroupRow";
import { groupName } from "./names";
import { dues, inOrder, isCounted } from "./shares";

const t = text.limits;

interface Props {
  page: Live<GroupsPage>;
  queue: Live<QueueView>;
  by: string;
  shown: Shown;
}

export function Groups({ page, queue, by, shown }: Props) {
  const [more, setMore] = useState<readonly GroupView[]>([]);
  const [cursor, setCursor] = useState<string | null>(null);
  const known = new Set(page.groups.map(groupName));
  const groups = inOrder([...page.groups, ...more.filter((one) => !known.has(groupName(one)))]);
  const due = dues(groups);
  const limiter = queue.limits.find((one) => one.per_group && one.kind === "limiter");
  const counted = isCounted(groups);
  const next = cursor ?? page.cursor;
  const read = async () => {
    const found = await ask("queues.groups", { flow: queue.flow, queue: queue.name, cursor: next, limit: 100 });
    setMore((before) => [...before, ...found.groups]);
    setCursor(found.cursor);
  };
  const held = groups.filter((one) => one.held).length;
  return (
    <Card title={t.groups} more={t.sums(queue.waiting, Math.max(0, queue.parked - held), held)}>
      <div className="scroll" tabIndex={0} role="region" aria-label={t.groupsOf(queue.name)}>
        <table className="mid groups">
          <thead>
            <tr>
              <th scope="col">{t.group}</th>
              <th scope="col">{t.state}</th>
              <th scope="col" className="num">
                {t.share}
              </th>
              <th scope="col">
                {!counted ? t.dueNow : limiter?.interval == null ? t.inFlightNow : t.startsLast(limiter.interval)}
              </th>
              <th scope="col" className="num">
                {t.waiting}
              </th>
              <th scope="col" className="num">
                {t.inFlight}
              </th>
              {limiter && (
                <th scope="col" className="num">
                  {t.tokens}
                </th>
              )}
              <th scope="col" className="num">
                {t.oldest}
              </th>
              <th scope="col" className="num">
                {t.mayStartHead}
              </th>
              <th scope="col">
                <span className="sr">{t.acts}</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {groups.map((one) => (
              <GroupRow
                key={groupName(one)}
                group={one}
                queue={queue}
                by={by}
                limiter={limiter}
                due={due.get(one)}
                counted={counted}
                shown={shown}
              />
            ))}
          </tbody>
        </table>
      </div>
      <div className="keyrow">
        {counted && (
          <span>
            <span className="sharebar">
              <i />
            </span>
            {t.got}
          </span>
        )}
        <span>
          <span className="sharebar">
            <i className="due" />
          </span>
          {t.due}
        </span>
        <span>
          <Mark shape="parked" /> {t.atLimitKey}
        </span>
        <span>
          <Mark shape="held" /> {t.heldKey}
        </span>
        <span>
          <Mark shape="ok" /> {t.readyKey}
        </span>
      </div>
      <div className="foot">
        {t.shown(groups.length, queue.groups)}
        {next && (
          <Button look="small" onPress={() => void read()}>
            {t.nextPage}
          </Button>
        )}
        {more.length > 0 && <span className="dim">{`${count(more.length)} ${t.asOf}`}</span>}
      </div>
    </Card>
  );
}
