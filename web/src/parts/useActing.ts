/** Asks for something that acts, tells what came of it, and knows whether it is under way. */
import { useState } from "react";
import { act, Problem, type Acting, type Answer, type Params } from "../ask";
import { useToast } from "./Toast";
import { text } from "../text";

export function useActing() {
  const [busy, setBusy] = useState(false);
  const toast = useToast();
  /** Returns what was answered; null where it was refused, which is told. */
  async function run<Name extends Acting>(
    name: Name,
    params: Params<Name>,
    says?: string,
  ): Promise<Answer<Name> | null> {
    setBusy(true);
    try {
      const answer = await act(name, params);
      if (says) toast(says);
      return answer;
    } catch (error) {
      toast(toldOf(error), { lasts: 8_000 });
      return null;
    } finally {
      setBusy(false);
    }
  }
  return { busy, run };
}

/** What to say of an error. */
export const toldOf = (error: unknown) => (error instanceof Problem && !error.isAway ? error.detail : text.parts.away);
