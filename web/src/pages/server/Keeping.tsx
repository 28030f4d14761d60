import type { Live, ServerView } from "@typed-flows/react";
import { count, rate } from "../../format";
import { Ago } from "../../parts/Ago";
import { Card } from "../../parts/Card";
import { Facts } from "../../parts/Facts";
import * as text from "../../text";

/** How the server keeps what it holds. */
export function Keeping({ state }: { state: Live<ServerView> }) {
  const { keep } = text.server;
  const safe = state.policy === "noeviction" || state.policy === "";
  return (
    <Card title={text.server.keeping}>
      <div className="pad">
        <Facts
          of={[
            [
              keep.writes,
              <span className={state.persistent ? "" : "warn"}>
                {keep[state.saving]}
                {state.save_failed && <b className="failed"> · {keep.failed}</b>}
              </span>,
            ],
            state.saved == null ? null : [keep.saved, <Ago at={state.saved} />],
            [
              keep.policy,
              <span className={safe ? "" : "warn"}>{safe ? keep.noeviction : keep.drops(state.policy)}</span>,
            ],
            state.evicted ? [keep.evicted, <span className="failed">{count(state.evicted)}</span>] : null,
            state.fragmentation == null ? null : [keep.fragmentation, rate(state.fragmentation)],
            state.role ? [keep.role, state.role] : null,
            [keep.replicas, count(state.replicas)],
            [keep.version, state.flows_version],
          ]}
        />
      </div>
    </Card>
  );
}
