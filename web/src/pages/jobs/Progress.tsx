/** How far an action on many jobs is: it goes on when the page is left, and is found again by the address. */
import { useTopic, type BulkView, type Live } from "@typed-flows/react";
import { act, Problem } from "../../ask";
import { percent } from "../../format";
import { useWhyNot } from "../../me";
import { Button } from "../../parts/Button";
import { Sentence } from "../../parts/Sentence";
import { useToast } from "../../parts/Toast";
import { setParams } from "../../route";
import * as text from "../../text";
import type { Verb } from "../../text/en/jobs";

const said = text.jobs.progressOf;

export function Progress({ flow, id }: { flow: string; id: string }) {
  const { state, error } = useTopic<BulkView>(`bulk/${flow}/${id}`);
  const toast = useToast();
  const whyNot = useWhyNot();
  const hide = () => setParams({ bulk: null });
  if (error) return null;
  if (!state) return null;
  const ended = state.state === "done" || state.state === "failed" || state.state === "cancelled";
  const stop = () =>
    act("bulk.cancel", { id }).then(
      () => toast(text.jobs.stopped),
      (problem: Problem) => toast(problem.detail),
    );
  return (
    <Sentence
      look={state.state === "failed" ? "bad" : "plain"}
      icon={state.state === "failed" ? "warning" : "info"}
      head={headOf(state, ended)}
      acts={
        ended ? (
          <Button onPress={hide}>{said.hide}</Button>
        ) : (
          <Button off={whyNot("bulk.cancel")} onPress={() => void stop()}>
            {said.stop}
          </Button>
        )
      }
    >
      {moreOf(state)}
    </Sentence>
  );
}

function headOf(state: Live<BulkView>, ended: boolean): string {
  if (state.state === "cancelled") return said.cancelled;
  if (state.state === "failed") return said.failed;
  if (ended) return said.done(wordsOf(state));
  return said.runsNow(state.verb as Verb);
}

function moreOf(state: Live<BulkView>): string {
  if (state.state === "failed") return state.error ?? "";
  if (state.state === "delayed") return said.window;
  if (state.state === "done" || state.state === "cancelled") return state.failed ? (state.log.at(-1) ?? "") : "";
  return said.runs(state.done, percent(state.value));
}

function wordsOf(state: Live<BulkView>): string {
  const words = Object.entries(state.words).map(([word, n]) => said.of(word, n));
  return words.join(", ") || said.nothing;
}
