import { useEffect, useState } from "react";
import { ask } from "../../ask";

/** Which queues have a limit, by its id: a limit with a name may be shared, by queues of other flows too. */
export function useSharing(): Readonly<Record<string, readonly string[]>> {
  const [sharing, setSharing] = useState<Readonly<Record<string, readonly string[]>>>({});
  useEffect(() => {
    const gone = new AbortController();
    ask("queues.show", {}, gone.signal).then(
      ({ queues }) => {
        const found: Record<string, string[]> = {};
        for (const queue of queues) for (const limit of queue.limits) (found[limit.id] ??= []).push(queue.name);
        setSharing(found);
      },
      () => {}, // it is not said then
    );
    return () => gone.abort();
  }, []);
  return sharing;
}
