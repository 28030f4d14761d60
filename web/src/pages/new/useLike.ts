/** What another job was created with, to begin from. */
import { useEffect, useState } from "react";
import { ask, Problem } from "../../ask";
import type { Json } from "./schema";
import type { Params } from "./useForm";

/** Raises what the server refuses. */
export async function paramsOf(flow: string, id: string): Promise<Params> {
  const view = await ask("jobs.show", { id, flow, whole: true });
  const fields = view.fields.filter((field) => field.of === "params" && !field.hidden);
  return Object.fromEntries(fields.map((field) => [field.name, field.value as Json]));
}

export function useLike(flow: string, id: string | null): { params: Params | null; problem: string | null } {
  const [params, setParams] = useState<Params | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => {
    if (id === null) return;
    let over = false;
    paramsOf(flow, id).then(
      (found) => {
        if (!over) setParams(found);
      },
      (error) => {
        if (!over) setProblem(error instanceof Problem ? error.detail : String(error));
      },
    );
    return () => {
      over = true;
    };
  }, [flow, id]);
  return { params, problem };
}
