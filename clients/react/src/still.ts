/** Lets what is shown stand still, while somebody reads it. */
import type { Core } from "./core";
import type { Status } from "./socket";
import type { Topic } from "./topic";
import type { Watch } from "./watch";
import type { WorkflowState } from "./workflowWatch";

/** Let what is shown stand still, or go on with what has changed meanwhile. */
export function setPaused(core: Core, paused: boolean): void {
  if (paused === core.connection.paused) return;
  core.still = paused ? showStill : null;
  core.change({ paused });
}

/** What nothing is known of yet is shown; of all else the connection alone. */
function showStill(watch: Watch, connection: Status): boolean {
  const seen = watch.seen as Topic<unknown> | WorkflowState;
  const isKnown = "state" in seen ? seen.state !== null : seen.status !== "unknown";
  if (isKnown && seen.connection === connection) return false;
  if (isKnown) watch.seen = { ...seen, connection };
  else watch.show(connection);
  return true;
}
