import type { ActionView } from "@typed-flows/react";
import { useEffect, useState } from "react";
import { ask } from "../../ask";
import { useMe } from "../../me";

const DOING = "queues.set_limit|queues.set_concurrency|queues.set_share|queues.hold";
/** An action stands in the audit a moment after what it changes is seen. */
const AGAIN_MS = 1_000;

/** Who has set what lately, newest first: the audit tells it, where it may be read. Asked anew when `sign` changes. */
export function useChanges(flow: string | null, sign: string): readonly ActionView[] {
  const [changes, setChanges] = useState<readonly ActionView[]>([]);
  const may = useMe().operations.includes("audit.list");
  useEffect(() => {
    if (!may) return;
    const gone = new AbortController();
    const look = () =>
      ask("audit.list", { ...(flow !== null && { flow }), doing: DOING, limit: 100 }, gone.signal).then(
        ({ actions }) => setChanges(actions.filter((one) => one.word !== "asked")),
        () => {}, // it is told without a name
      );
    void look();
    const again = setTimeout(look, AGAIN_MS);
    return () => {
      clearTimeout(again);
      gone.abort();
    };
  }, [flow, sign, may]);
  return changes;
}
