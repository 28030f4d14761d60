/** What a fork from a step takes over, and what it does again: by the rules of the server's `forked`. Pure. */
import type { Live, RunView } from "@typed-flows/react";

const OWN = /^(?:undo:|@)|^on_failure$/;

/** Whether a step is the library's own: no fork goes on from it. */
export const isOwn = (name: string) => OWN.test(name);

/** Steps are in the order in which they were settled; what is done before one, and was not undone, stays done. */
export function takenOver(run: Live<RunView>, step: string): { kept: string[]; again: string[] } {
  const names = new Set(run.steps.map((one) => one.name));
  const at = run.steps.findIndex((one) => one.name === step);
  const waits = run.steps[at]?.status === "waiting";
  const kept: string[] = [];
  const again: string[] = [step];
  run.steps.forEach((one, i) => {
    if (one.name === step || isOwn(one.name)) return;
    const stays = (one.status === "done" || one.status === "withdrawn") && !names.has(`undo:${one.name}`);
    if (stays && (i < at || waits)) kept.push(one.name);
    else again.push(one.name);
  });
  return { kept, again };
}
