import { useTopic, type Live } from "@typed-flows/react";
import type { ReactNode } from "react";
import { duration, time, useNow } from "../format";
import * as text from "../text";
import { Bones } from "./Bones";
import { Sentence } from "./Sentence";

export interface Shown {
  /** Whether it is the last state that is known, and no longer a live one: what would write is off. */
  old: boolean;
  /** When it was read, ms since 1970. */
  at: number;
}

interface Props<T> {
  topic: string | null;
  rows?: number;
  children: (state: Live<T>, shown: Shown) => ReactNode;
  /** In place of the sentence where there is no such thing. */
  missing?: (error: { code: string; message: string }) => ReactNode;
}

/**
 * Shows what a topic tells. Loading: bones. Broken: the last state, grey, with its age. Nothing there: the server's
 * sentence.
 */
export function Watched<T>({ topic, rows = 4, children, missing }: Props<T>) {
  const { state, at, awaySince, error, connection } = useTopic<T>(topic);
  if (state == null) {
    if (error) return missing?.(error) ?? <Sentence look="bad" head={error.message} />;
    return <Bones rows={rows} />;
  }
  const read = at ?? Date.now();
  const old = awaySince !== null || connection === "offline" || connection === "ended" || error !== null;
  return (
    <>
      {old && (
        <LastKnown
          at={read}
          because={error?.message ?? (awaySince !== null ? text.parts.redisAway : text.parts.serverAway)}
        />
      )}
      <div className={old ? "was" : "is"}>{children(state, { old, at: read })}</div>
    </>
  );
}

/** Says that what is shown is not live, of when it is, and why. */
export function LastKnown({ at, because }: { at: number; because: string }) {
  const now = useNow();
  return (
    <Sentence look="bad" icon="plug" head={because}>
      {text.parts.lastKnown(time(at), duration(Math.max(0, now - at)))}
    </Sentence>
  );
}
