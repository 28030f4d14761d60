/** What is held of one topic, and how a message changes it: pure, no socket, no React. */
import { applyPatch, share } from "./merge";
import type { JsonObject, TopicState } from "./protocol";

/** The state of one revision; `cursor` is `<epoch>.<revision>`, and each room of a server has an epoch of its own. */
export interface Held {
  readonly state: JsonObject;
  readonly rev: number;
  readonly cursor: string;
  readonly at: number;
  readonly awaySince: number | null;
}

/**
 * Returns what is held after a message; the same object where it tells nothing new, or null where it cannot follow
 * what is held: then the whole state has to be asked for.
 *
 * A patch follows only the very revision that it was made from: what changed and changed back between two revisions is
 * not in it, so that it would not put right a state in between.
 */
export function take(held: Held | null, message: TopicState): Held | null {
  const same = held !== null && epochOf(held.cursor) === epochOf(message.cursor);
  if (same && message.rev <= held.rev) return held;
  const { rev, cursor, at, awaySince = null } = message;
  if (message.from === 0) {
    const state = held === null ? message.state : (share(held.state, message.state) as JsonObject);
    return { state, rev, cursor, at, awaySince };
  }
  if (!same || message.from !== held.rev) return null;
  return { state: applyPatch(held.state, message.state), rev, cursor, at, awaySince };
}

function epochOf(cursor: string): string {
  return cursor.slice(0, cursor.lastIndexOf("."));
}
