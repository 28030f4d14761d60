import { useEffect, useState } from "react";
import { ask } from "../../ask";

/** By which field the queues of a flow are grouped, by queue: it is declared, and asked once. */
export function useGroupedBy(flow: string | null): Readonly<Record<string, string>> {
  const [by, setBy] = useState<Readonly<Record<string, string>>>({});
  useEffect(() => {
    if (flow === null) return;
    const gone = new AbortController();
    ask("flows.show", { flow }, gone.signal).then(
      ({ declared }) =>
        setBy(
          Object.fromEntries(
            declared.flatMap((one) => (one.grouped_by == null ? [] : [[one.name, one.grouped_by] as const])),
          ),
        ),
      () => {}, // its groups are not shown
    );
    return () => gone.abort();
  }, [flow]);
  return by;
}
