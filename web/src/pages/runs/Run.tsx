/** One run: why it is where it is, its steps over time, what each did, and what may be done with it. */
import type { ExplanationView, Live, RunView } from "@typed-flows/react";
import { useCallback, useMemo } from "react";
import type { PageProps } from "..";
import { useCommands } from "../../keys/commands";
import { Empty } from "../../parts/Empty";
import { LinkButton } from "../../parts/Button";
import { useTabTitle } from "../../parts/Title";
import { Watched, type Shown } from "../../parts/Watched";
import { setParams } from "../../route";
import { shortId } from "../../format";
import * as text from "../../text";
import { Actions } from "./Actions";
import { Dialogs, useDialog } from "./dialogs/Dialogs";
import { Explained } from "./Explained";
import { Input, Output } from "./Data";
import { RunHead } from "./RunHead";
import { StepPanel } from "./StepPanel";
import { Tries } from "./Tries";
import { useActs } from "./useActs";
import { useEarlier } from "./useEarlier";
import { rowsOf, visitsOf } from "./waterfall/bars";
import { Waterfall } from "./waterfall/Waterfall";

interface Told {
  run: RunView;
  explanation: ExplanationView;
}

export default function Run({ args, params }: PageProps) {
  const id = args.id!;
  useTabTitle(`${text.frame.run} ${shortId(id)}`);
  return (
    <Watched<Told>
      topic={`run/${encodeURIComponent(id)}`}
      rows={8}
      missing={(error) => (
        <Empty head={text.run.missing} acts={<LinkButton to="runs">{text.run.allRuns}</LinkButton>}>
          {error.message}
        </Empty>
      )}
    >
      {(state, shown) => <Page key={id} state={state} shown={shown} chosen={params.get("step")} />}
    </Watched>
  );
}

function Page({ state, shown, chosen }: { state: Live<Told>; shown: Shown; chosen: string | null }) {
  const { run, onEarlier } = useEarlier(state.run);
  const dialog = useDialog();
  const acts = useActs(run, shown.old, dialog.open);
  const order = useMemo(() => rowsOf(run, visitsOf(run), Date.parse(run.since)).map((row) => row.step), [run]);
  const choose = useCallback((step: string | null) => setParams({ step }), []);
  const at = order.findIndex((step) => step.name === chosen);
  const go = (by: number) => order.length && choose(order[Math.min(order.length - 1, Math.max(0, at + by))]!.name);
  useCommands([
    { key: "next", run: () => go(1) },
    { key: "previous", run: () => go(at < 0 ? 1 : -1) },
    { key: "clear", run: () => choose(null) },
    { key: "retry", off: acts.retry.off, run: acts.retry.run },
    { key: "cancel", off: acts.cancel.off, run: acts.cancel.run },
    { key: "move", off: acts.move.off, run: acts.move.run },
    { key: "copyLink", run: acts.copyLink.run },
    { title: text.run.fork, icon: "fork", off: acts.fork.off, run: () => acts.fork.run(chosen ?? "") },
  ]);
  const step = at >= 0 ? order[at]! : null;
  return (
    <div className="stack">
      <RunHead run={run} acts={acts} chosen={chosen} />
      <Explained run={run} explanation={state.explanation} acts={acts} />
      <div className="side wide">
        <div className="stack">
          <Waterfall run={run} chosen={chosen} onChoose={choose} onEarlier={onEarlier} />
          <Tries run={run} />
        </div>
        <div className="stack">
          <StepPanel run={run} step={step} place={at + 1} total={order.length} acts={acts} />
          <Input run={run} />
          <Output run={run} />
          <Actions run={run} closed={dialog.closed} />
        </div>
      </div>
      <Dialogs run={run} dialog={dialog} />
    </div>
  );
}
