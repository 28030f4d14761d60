import { useEffect, useState } from "react";
import { ask } from "../../ask";

/** By which field the queues of flows are grouped, by queue: it is declared, and asked once. */
export function useGroupedBy(flows: readonly string[]): Readonly<Record<string, string>> {
  const [by, setBy] = useState<Readonly<Record<string, string>>>({});
  const wanted = JSON.stringify([...new Set(flows)].toSorted());
  useEffect(() => {
    const gone = new AbortController();
    for (const flow of JSON.parse(wanted) as string[]) {
      ask("flows.show", { flow }, gone.signal).then(
        ({ declared }) => {
          const found = declared.flatMap((one) =>
            one.grouped_by == null ? [] : [[one.name, one.grouped_by] as const],
          );
          setBy((before) => ({ ...before, ...Object.fromEntries(found) }));
        },
        () => {}, // its groups are not shown
      );
    }
    return () => gone.abort();
  }, [wanted]);
  return by;
}
