/** A job as it is now: what the topic tells of it, and what is off while it cannot be told. */
import { useTopic, type ExplanationView, type JobView, type Live } from "@typed-flows/react";
import * as text from "../../text";

export interface Told {
  job: Live<JobView>;
  explanation: Live<ExplanationView>;
}

export interface Watched {
  told: Live<Told> | null;
  /** When it was read, ms. */
  at: number;
  /** Why what acts is off; null: it is not. */
  old: string | null;
  /** Why there is nothing, or nothing newer. */
  error: { code: string; message: string } | null;
}

export function useJob(flow: string, id: string): Watched {
  const { state, at: read, awaySince, error, connection } = useTopic<Told>(`job/${flow}/${id}`);
  const old = awaySince !== null || connection === "offline" || connection === "ended";
  return { told: state, at: read ?? Date.now(), old: old ? text.job.old : error ? text.job.gone.off : null, error };
}

/** The flow to which a job belongs: a child's own is its child queue, and its parent's may be the flow itself. */
export function ownFlow(job: Live<JobView>): string | null {
  if (!job.flow.includes(":")) return job.flow;
  const parent = job.parent?.slice(0, job.parent.lastIndexOf(":")) ?? "";
  return parent && !parent.includes(":") ? parent : null;
}
