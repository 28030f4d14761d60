/** Asks for something that acts, tells what was refused, and knows whether it is under way. */
import { useState } from "react";
import { act, Problem, type Acting, type Answer, type Params } from "../ask";
import { useToast } from "./Toast";
import * as text from "../text";

/** For dialogs: what was refused is `wrong`, to be shown in it. */
export function useAct(todo: () => Promise<void>) {
  const [wrong, setWrong] = useState<string | null>(null);
  const { busy, during } = useBusy(setWrong);
  const run = () => {
    setWrong(null);
    void during(todo);
  };
  return { busy, wrong, run };
}

/** For what stands on a page: what came of it, or was refused, is a toast. */
export function useActing() {
  const toast = useToast();
  const { busy, during } = useBusy((told) => toast(told, { lasts: 8_000 }));
  /** Returns what was answered; null where it was refused, which is told. */
  const run = <Name extends Acting>(name: Name, params: Params<Name>, says?: string): Promise<Answer<Name> | null> =>
    during(async () => {
      const answer = await act(name, params);
      if (says) toast(says);
      return answer;
    });
  return { busy, run };
}

function useBusy(onRefused: (told: string) => void) {
  const [busy, setBusy] = useState(false);
  const during = async <T>(todo: () => Promise<T>): Promise<T | null> => {
    setBusy(true);
    try {
      return await todo();
    } catch (error) {
      onRefused(toldOf(error));
      return null;
    } finally {
      setBusy(false);
    }
  };
  return { busy, during };
}

/** What to say of an error. */
export function toldOf(error: unknown): string {
  if (error instanceof Problem) return error.isAway ? text.parts.away : error.detail;
  return error instanceof Error ? error.message : String(error);
}
