/** Limits and groups: what each limit has given out, who waits for it, and when it is over. */
import { useTopic, type Live, type Overview, type Queues, type QueueView } from "@typed-flows/react";
import { useEffect } from "react";
import type { PageProps } from "..";
import { useFlow } from "../../frame/useFlow";
import { LinkButton } from "../../parts/Button";
import { Empty } from "../../parts/Empty";
import { Title } from "../../parts/Title";
import { Watched, type Shown } from "../../parts/Watched";
import { setParams, withParams } from "../../route";
import * as text from "../../text";
import { HoldButton } from "./HoldButton";
import { QueueLimits } from "./QueueLimits";
import { useChanges } from "./useChanges";
import { useGroupedBy } from "./useGroupedBy";
import { useSharing } from "./useSharing";

const t = text.limits;
/** So many queues are shown with their groups; of more, the one that was chosen. */
const MOST_OPEN = 4;

export default function Limits({ params }: PageProps) {
  const { state } = useTopic<Overview>("overview");
  const remembered = useFlow((state?.flows ?? []).map((one) => one.name));
  const queue = params.get("queue");
  const flow = params.get("flow") ?? (queue ? null : remembered);
  useEffect(() => {
    if (flow !== null && !params.has("flow")) setParams({ flow }); // a link to this page is of the same flow elsewhere
  }, [flow, params]);
  const topic = queue ? withParams("queues", { queue, flow }) : withParams("queues", { flow });
  return (
    <Watched<Queues> topic={state ? topic : null} rows={6}>
      {({ queues }, shown) => (
        <Shows
          queues={queues}
          queue={queue}
          flow={flow ?? (queue ? (queues[0]?.flow ?? null) : null)}
          limit={params.get("limit")}
          shown={shown}
        />
      )}
    </Watched>
  );
}

interface ShowsProps {
  queues: readonly Live<QueueView>[];
  queue: string | null;
  flow: string | null;
  /** Which limit is to be changed. */
  limit: string | null;
  shown: Shown;
}

function Shows({ queues, queue, flow, limit, shown }: ShowsProps) {
  const by = useGroupedBy(queues.map((one) => one.flow));
  const sharing = useSharing();
  const changes = useChanges(flow, signOf(queues));
  const limited = queues.filter((one) => one.limits.length > 0 || one.held_until != null || one.name in by);
  const only = limited.length === 1 ? limited[0]! : null;
  const grouped = limited.filter((one) => one.name in by).slice(0, MOST_OPEN);
  return (
    <div className="stack-page">
      <Title
        title={t.title}
        sub={<bdi>{t.sub(queue ?? flow)}</bdi>}
        acts={
          <>
            {queue && <LinkButton to={withParams("limits", { flow })}>{t.allQueues}</LinkButton>}
            {only && <HoldButton queue={only} old={shown.old} />}
          </>
        }
      />
      {!limited.length && (
        <Empty head={queue ? t.noneOf(queue) : t.noFlow} command={t.example}>
          {t.noneWhat}
        </Empty>
      )}
      {limited.map((one) => (
        <QueueLimits
          key={one.name}
          queue={one}
          by={by[one.name] ?? null}
          open={grouped.includes(one)}
          titled={only === null}
          editing={limit}
          sharing={sharing}
          changes={changes}
          shown={shown}
        />
      ))}
    </div>
  );
}

/** What changes when somebody has set a limit: then it is asked anew who has. */
const signOf = (queues: readonly Live<QueueView>[]) =>
  queues.flatMap((one) => one.limits.map((limit) => `${limit.id} ${limit.live} ${limit.interval ?? ""}`)).join("|");
