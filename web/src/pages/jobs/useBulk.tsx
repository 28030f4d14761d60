/** Acting on many jobs: all that match by one action of the server, chosen ones each by itself; both can be undone. */
import { useRef, useState } from "react";
import { act, Problem } from "../../ask";
import { useToast } from "../../parts/Toast";
import { setParams } from "../../route";
import * as text from "../../text";
import type { Verb } from "../../text/en/jobs";

/** For so many seconds nothing is done yet. */
export const UNDO = 5;
/** The server takes 20 actions a second of one caller. */
const PAUSE = 60;

/** What is about to be done, and to what. */
export interface Doing {
  verb: Verb;
  /** Nothing is done before: ms. */
  begins: number;
  /** What came into its state later stays, ms; of chosen jobs, none does. */
  before: number | null;
  /** The chosen jobs; null: all that match. */
  ids: ReadonlySet<string> | null;
  count: number;
  /** The queues in which they are. */
  queues: readonly string[];
}

export interface More {
  to?: string;
  reason?: string;
}

export interface Job {
  id: string;
  flow: string;
}

export function useBulk(query: string, flow: string) {
  const toast = useToast();
  const [doing, setDoing] = useState<Doing | null>(null);
  const undoing = useRef<(() => void) | null>(null);

  const begin = (next: Doing, undo: () => void) => {
    setDoing(next);
    const over = () => {
      undoing.current = null;
      setDoing((now) => (now === next ? null : now));
    };
    const timer = setTimeout(over, UNDO * 1000);
    const drop = toast(text.jobs.begun(next.verb, next.count, next.queues, UNDO), {
      lasts: UNDO * 1000,
      undo: () => undoing.current?.(),
    });
    undoing.current = () => {
      clearTimeout(timer);
      over();
      drop();
      undo();
    };
  };

  /** Begins one action on all that match; raises what the server refuses. */
  const onAll = async (verb: Verb, seen: number, before: string, queues: readonly string[], more: More) => {
    const begun = await act("bulk.apply", { verb, query, flow, seen, undo: UNDO, ...more });
    setParams({ bulk: begun.id });
    const now = Date.now();
    begin(
      { verb, begins: now + UNDO * 1000, before: Date.parse(before), ids: null, count: begun.count, queues },
      () => {
        void act("bulk.cancel", { id: begun.id }).then(
          () => {
            setParams({ bulk: null });
            toast(text.jobs.undone);
          },
          (error: Problem) => toast(error.detail),
        );
      },
    );
  };

  /** Acts on chosen jobs, one by one, after the time to undo. */
  const onEach = (verb: Verb, jobs: readonly Job[], queues: readonly string[], more: More) => {
    const timer = setTimeout(
      () => void each(verb, jobs, more).then((said) => toast(said, { lasts: 8_000 })),
      UNDO * 1000,
    );
    const ids = new Set(jobs.map((job) => job.id));
    begin({ verb, begins: Date.now() + UNDO * 1000, before: null, ids, count: jobs.length, queues }, () => {
      clearTimeout(timer);
      toast(text.jobs.undone);
    });
  };

  return { doing, onAll, onEach, undo: () => undoing.current?.() };
}

async function each(verb: Verb, jobs: readonly Job[], more: More): Promise<string> {
  const refused = new Set<string>();
  let done = 0;
  let failed = 0;
  for (const { id, flow } of jobs) {
    try {
      await one(verb, id, flow, more);
      done++;
    } catch (error) {
      failed++;
      refused.add(error instanceof Problem ? error.detail : String(error));
    }
    await new Promise((go) => setTimeout(go, PAUSE));
  }
  return text.jobs.oneByOne.result(verb, done, failed) + [...refused].slice(0, 2).join("; ");
}

function one(verb: Verb, id: string, flow: string, { to = "", reason }: More): Promise<unknown> {
  if (verb === "move") return act("jobs.move", { id, flow, to });
  if (verb === "cancel") return act("jobs.cancel", reason ? { id, flow, reason } : { id, flow });
  return act(verb === "retry" ? "jobs.retry" : "jobs.delete", { id, flow });
}
