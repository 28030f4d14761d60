/** What a run was started with, and what it has returned, or why it has not. */
import type { Live, RunView } from "@typed-flows/react";
import { Card } from "../../parts/Card";
import { Json } from "../../parts/Json";
import * as text from "../../text";
import { hasEnded } from "./waterfall/bars";

export function Input({ run }: { run: Live<RunView> }) {
  return (
    <Card title={text.run.data.input}>
      <Json value={run.input ?? null} />
    </Card>
  );
}

export function Output({ run }: { run: Live<RunView> }) {
  const { data } = text.run;
  const { error } = run;
  const failed = error != null && run.status !== "done";
  return (
    <Card
      title={failed && hasEnded(run) ? data.error : data.output}
      more={failed ? <bdi>{error.type}</bdi> : undefined}
    >
      {run.status === "done" ? (
        <Json value={run.output ?? null} />
      ) : failed ? (
        <div className="pad">
          <p className="err wraps">
            <bdi>{error.message}</bdi>
          </p>
          {error.traceback && (
            <details>
              <summary>{data.traceback}</summary>
              <pre className="code">{error.traceback}</pre>
            </details>
          )}
        </div>
      ) : (
        <p className="pad sub">
          {hasEnded(run) ? data.noOutputEver(text.run.statuses[run.status]) : data.noOutput}
          {run.reason && <bdi> {run.reason}</bdi>}
        </p>
      )}
    </Card>
  );
}
