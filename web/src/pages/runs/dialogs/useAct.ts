/** Asks for something once: whether it is under way, and what was refused. */
import { useState } from "react";
import { Problem } from "../../../ask";

export function useAct(todo: () => Promise<void>) {
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState<string | null>(null);
  const run = async () => {
    setBusy(true);
    setWrong(null);
    try {
      await todo();
    } catch (error) {
      setWrong(error instanceof Problem || error instanceof Error ? error.message : String(error));
    } finally {
      setBusy(false);
    }
  };
  return { busy, wrong, run: () => void run() };
}
