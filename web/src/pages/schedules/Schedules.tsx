/** All schedules: when each comes, what became of its last slots, and what is planned for a day. */
import type { ScheduleView } from "@typed-flows/react";
import { useMemo, useState } from "react";
import type { PageProps } from "..";
import { useNow } from "../../format";
import { useCommands } from "../../keys/commands";
import { Button } from "../../parts/Button";
import { Empty } from "../../parts/Empty";
import { Title } from "../../parts/Title";
import { Watched } from "../../parts/Watched";
import { setParams } from "../../route";
import * as text from "../../text";
import { Alarms } from "./Alarms";
import { Day } from "./Day";
import { EditSchedule } from "./EditSchedule";
import { List } from "./List";
import { Panel } from "./Panel";
import { RemoveSchedule } from "./RemoveSchedule";
import { RunNow } from "./RunNow";
import { inOrder, type Schedule } from "./slots";
import { useScheduleActs } from "./useScheduleActs";

const TOPIC = "schedules?slots=30";

export default function Schedules({ params }: PageProps) {
  return (
    <Watched<{ items: ScheduleView[] }> topic={TOPIC} rows={8}>
      {(state, shown) => <Page schedules={state.items} old={shown.old} chosen={params.get("id")} />}
    </Watched>
  );
}

type Which = { kind: "edit"; schedule: Schedule | null } | { kind: "run" | "remove"; schedule: Schedule } | null;

function Page({ schedules, old, chosen }: { schedules: readonly Schedule[]; old: boolean; chosen: string | null }) {
  const words = text.schedules;
  const minute = Math.floor(useNow() / 60_000) * 60_000;
  const order = useMemo(() => inOrder(schedules, minute), [schedules, minute]);
  const [dialog, open] = useState<Which>(null);
  const acts = useScheduleActs(old, {
    run: (schedule) => open({ kind: "run", schedule }),
    edit: (schedule) => open({ kind: "edit", schedule }),
    remove: (schedule) => open({ kind: "remove", schedule }),
  });
  const at = order.findIndex((one) => one.id === chosen);
  const one = order[at] ?? order[0] ?? null;
  const go = (by: number) =>
    order.length && setParams({ id: order[Math.min(order.length - 1, Math.max(0, at + by))]!.id });
  useCommands([
    { key: "next", run: () => go(1) },
    { key: "previous", run: () => go(-1) },
    {
      key: "pause",
      off: one ? acts.pauseOff(one) : words.panel.pick,
      run: () => one && (one.paused == null ? acts.pause(one) : acts.resume(one)),
    },
    { title: words.fresh, icon: "plus", off: acts.createOff, run: () => open({ kind: "edit", schedule: null }) },
  ]);
  const paused = schedules.filter((schedule) => schedule.paused != null).length;
  return (
    <div className="stack">
      <Title
        title={words.title}
        sub={schedules.length ? words.sub(schedules.length, paused) : undefined}
        acts={
          <Button icon="plus" off={acts.createOff} onPress={() => open({ kind: "edit", schedule: null })}>
            {words.fresh}
          </Button>
        }
      />
      {one === null ? (
        <Empty head={words.empty} command={words.emptyCommand}>
          {words.emptyMore}
        </Empty>
      ) : (
        <>
          <Alarms schedules={order} now={minute} />
          <div className="side schedside">
            <List schedules={order} chosen={one.id} acts={acts} />
            <Panel key={one.id} schedule={one} acts={acts} />
          </div>
          <Day schedules={order} />
        </>
      )}
      {dialog?.kind === "edit" && <EditSchedule schedule={dialog.schedule} onClose={() => open(null)} />}
      {dialog?.kind === "run" && <RunNow schedule={dialog.schedule} onClose={() => open(null)} />}
      {dialog?.kind === "remove" && <RemoveSchedule schedule={dialog.schedule} onClose={() => open(null)} />}
    </div>
  );
}
