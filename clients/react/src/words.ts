/** Every word that the components show; `<FlowsProvider words={…}>` gives those of another language. */
import { createContext, useContext, useMemo } from "react";
import type { TaskStatus } from "./workflow";

export interface Words {
  readonly progress: string;
  readonly tasks: string;
  readonly statuses: Readonly<Record<TaskStatus, string>>;
  readonly stale: string;
  readonly percent: (n: number) => string;
  readonly gone: string;
  readonly close: string;
  readonly queued: string;
  readonly began: string;
  readonly ended: string;
  readonly attempt: string;
  readonly run: string;
  readonly cancel: string;
  readonly result: string;
  readonly less: string;
  readonly more: (characters: number) => string;
  readonly log: string;
}

export const ENGLISH: Words = {
  progress: "progress",
  tasks: "tasks",
  statuses: {
    inactive: "inactive",
    queued: "queued",
    running: "running",
    ok: "ok",
    skipped: "skipped",
    failed: "failed",
    cancelled: "cancelled",
  },
  stale: "stale",
  percent: (n) => `${n} %`,
  gone: "it is not there any more",
  close: "Close",
  queued: "queued",
  began: "began",
  ended: "ended",
  attempt: "attempt",
  run: "Run",
  cancel: "Cancel",
  result: "result",
  less: "Less",
  more: (characters) => `${characters} more characters`,
  log: "log",
};

/** What is said in place of these; a page without components of ours has none of them. */
export const WordsContext = createContext<Partial<Words> | undefined>(undefined);

export function useWords(): Words {
  const words = useContext(WordsContext);
  return useMemo(() => ({ ...ENGLISH, ...words }), [words]);
}
