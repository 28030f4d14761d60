/** The limits of one queue, what holds it, and its groups. */
import { useTopic, type ActionView, type GroupsPage, type Live, type QueueView } from "@typed-flows/react";
import { duration, msOf } from "../../format";
import { Button } from "../../parts/Button";
import { Link } from "../../parts/Link";
import { Sentence } from "../../parts/Sentence";
import type { Shown } from "../../parts/Watched";
import { useWhyNot } from "../../me";
import { at as addressOf, withParams } from "../../route";
import * as text from "../../text";
import { useActing } from "../../parts/useActing";
import { Groups } from "./Groups";
import { HoldButton } from "./HoldButton";
import { LimitCard } from "./LimitCard";
import { groupName } from "./names";

const t = text.limits;

interface Props {
  queue: Live<QueueView>;
  /** The field by which it is grouped. */
  by: string | null;
  /** Whether its groups are shown. */
  open: boolean;
  titled: boolean;
  /** The id of the limit that is to be changed. */
  editing: string | null;
  sharing: Readonly<Record<string, readonly string[]>>;
  changes: readonly ActionView[];
  shown: Shown;
}

export function QueueLimits({ queue, by, open, titled, editing, sharing, changes, shown }: Props) {
  const { state: page } = useTopic<GroupsPage>(open && by !== null ? addressOf("groups", queue.name) : null);
  const groups = page?.groups ?? [];
  return (
    <section className="stack-page" aria-label={t.queue(queue.name)}>
      {titled && (
        <div className="title">
          <h2 className="strong mono">
            <Link to={withParams("limits", { flow: queue.flow, queue: queue.name })}>
              <bdi>{queue.name}</bdi>
            </Link>
          </h2>
          <span className="acts">
            <HoldButton queue={queue} old={shown.old} />
          </span>
        </div>
      )}
      <Held queue={queue} by={by ?? ""} groups={groups} shown={shown} />
      {/* Two stacks: a card that grows, since it is changed, moves none beside it. */}
      <div className="limit-cards">
        {[0, 1].map(
          (column) =>
            queue.limits.length > column && (
              <div className="stack-page" key={column}>
                {queue.limits
                  .filter((_, i) => i % 2 === column)
                  .map((limit) => (
                    <LimitCard
                      key={limit.id}
                      limit={limit}
                      queue={queue}
                      by={by ?? t.perGroup}
                      groups={groups}
                      shared={(sharing[limit.id] ?? []).filter((name) => name !== queue.name)}
                      changes={changes}
                      editing={editing === limit.id}
                      shown={shown}
                    />
                  ))}
              </div>
            ),
        )}
      </div>
      {page && by !== null && <Groups page={page} queue={queue} by={by} shown={shown} />}
    </section>
  );
}

/** Says that the queue is held, or which of its groups is. */
function Held({
  queue,
  by,
  groups,
  shown,
}: Pick<Props, "queue" | "shown"> & { by: string; groups: Live<GroupsPage>["groups"] }) {
  const whyNot = useWhyNot();
  const { busy, run } = useActing();
  const off = shown.old ? t.notLive : whyNot("queues.hold");
  const { flow, name } = queue;
  const left = (until: string) => duration(Math.max(0, msOf(until) - shown.at));
  const held = groups.filter((one) => one.held && one.until != null).slice(0, 3);
  return (
    <>
      {queue.held_until != null && (
        <Sentence
          icon="held"
          head={t.heldQueue(name, left(queue.held_until))}
          acts={
            <Button
              busy={busy}
              off={off}
              onPress={() => void run("queues.hold", { flow, queue: name, lasting: 0 }, t.freed(name))}
            >
              {t.freeNow}
            </Button>
          }
        >
          {t.heldQueueMore(queue.waiting)}
        </Sentence>
      )}
      {held.map((one) => (
        <Sentence
          key={groupName(one)}
          icon="held"
          head={<bdi>{t.heldGroup(by, groupName(one), left(one.until ?? ""))}</bdi>}
          acts={
            one.group != null && (
              <Button
                busy={busy}
                off={off}
                onPress={() =>
                  void run(
                    "queues.hold",
                    { flow, queue: name, lasting: 0, group: String(one.group) },
                    t.freed(groupName(one)),
                  )
                }
              >
                {t.freeNow}
              </Button>
            )
          }
        >
          {t.heldGroupMore(one.waiting, Math.max(0, groups.length - 1))}
        </Sentence>
      ))}
    </>
  );
}
