/** What a flow declares; asked for once while a page is about it. */
import type { FlowView } from "@typed-flows/react";
import { useEffect, useMemo, useState } from "react";
import { ask, Problem } from "../ask";

export function useFlowView(flow: string | null): { view: FlowView | null; problem: string | null } {
  const [told, setTold] = useState<{ flow: string; view: FlowView | null; problem: string | null } | null>(null);
  useEffect(() => {
    if (flow === null) return;
    const gone = new AbortController();
    ask("flows.show", { flow }, gone.signal).then(
      (view) => setTold({ flow, view, problem: null }),
      (error) => {
        if (!gone.signal.aborted) setTold({ flow, view: null, problem: error instanceof Problem ? error.detail : "" });
      },
    );
    return () => gone.abort();
  }, [flow]);
  return told?.flow === flow ? told : { view: null, problem: null };
}

/** The most attempts of each queue of a flow. */
export function useAttempts(view: FlowView | null): ReadonlyMap<string, number> {
  return useMemo(() => new Map(view?.declared.map((queue) => [queue.name, queue.max_attempts])), [view]);
}
