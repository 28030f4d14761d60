/** Of a run with very many steps the topic tells the last ones; those before are asked for once, when they are wanted. */
import type { Live, RunView, StepView } from "@typed-flows/react";
import { useMemo, useState } from "react";
import { ask } from "../../ask";

const PAGE = 1_000;

export function useEarlier(run: Live<RunView>): { run: Live<RunView>; onEarlier: (() => void) | undefined } {
  const [earlier, setEarlier] = useState<StepView[]>([]);
  const whole = useMemo(() => {
    if (!earlier.length) return run;
    const known = new Set(run.steps.map((step) => step.name));
    const before = earlier.filter((step) => !known.has(step.name));
    return { ...run, steps: [...before, ...run.steps], steps_before: Math.max(0, run.steps_before - earlier.length) };
  }, [run, earlier]);
  const onEarlier = async () => {
    const found: StepView[] = [];
    for (let start = 0; start < run.steps_before; start += PAGE) {
      const page = await ask("runs.steps", { id: run.id, start, limit: Math.min(PAGE, run.steps_before - start) });
      found.push(...page.steps);
    }
    setEarlier(found);
  };
  return { run: whole, onEarlier: whole.steps_before > 0 ? () => void onEarlier() : undefined };
}
