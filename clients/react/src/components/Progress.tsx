import type { ReactNode } from "react";
import { useWords } from "../words";

export interface ProgressProps {
  /** A workflow, or anything else that has a progress from 0 to 1. */
  readonly state: { readonly progress: number; readonly status?: string };
  /** What it is called by a screen reader. */
  readonly label?: string;
}

/** A bar that says how far something is. */
export function Progress({ state: { progress, status }, label }: ProgressProps): ReactNode {
  const words = useWords();
  const percent = Math.floor(100 * Math.min(1, Math.max(0, progress)));
  return (
    <div
      className="flows-progress"
      data-status={status}
      role="progressbar"
      aria-label={label ?? words.progress}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={percent}
    >
      <div className="flows-progress-bar" style={{ width: `${percent}%` }} />
    </div>
  );
}
