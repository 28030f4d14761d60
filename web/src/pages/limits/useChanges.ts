import type { ActionView } from "@typed-flows/react";
import { useEffect, useState } from "react";
import { ask } from "../../ask";
import { useMe } from "../../me";

/** Who has set what lately, newest first: the audit tells it, where it may be read. Asked anew when `sign` changes. */
export function useChanges(flow: string | null, sign: string): readonly ActionView[] {
  const [changes, setChanges] = useState<readonly ActionView[]>([]);
  const may = useMe().operations.includes("audit.list");
  useEffect(() => {
    if (!may || flow === null) return;
    const gone = new AbortController();
    const doing = "queues.set_limit|queues.set_concurrency|queues.set_share|queues.hold";
    ask("audit.list", { flow, doing, limit: 100 }, gone.signal).then(
      ({ actions }) => setChanges(actions.filter((one) => one.word !== "asked")),
      () => {}, // it is told without a name
    );
    return () => gone.abort();
  }, [flow, sign, may]);
  return changes;
}
