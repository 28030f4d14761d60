/** The board of a flow: what is wrong, six figures, its queues, and two charts. */
import type { CheckView, FlowHistory, LanesView, Live, Queues } from "@typed-flows/react";
import { useEffect, useState } from "react";
import { createPortal } from "react-dom";
import type { PageProps } from "..";
import { useCommands } from "../../keys/commands";
import { Empty } from "../../parts/Empty";
import { Segments } from "../../parts/Segments";
import { Title } from "../../parts/Title";
import { Watched, type Shown } from "../../parts/Watched";
import { at as addressOf, setParams, withParams } from "../../route";
import * as text from "../../text";
import { Charts } from "./Charts";
import { Columns } from "./Columns";
import { Figures } from "./Figures";
import { Fresh, isFresh } from "./Fresh";
import { windows, type Window } from "./figures";
import { Troubles } from "./Troubles";

interface BoardState extends Queues {
  lanes: LanesView;
  check: CheckView;
  history: FlowHistory;
}

export default function Board({ args, params }: PageProps) {
  const flow = args["flow"] ?? "";
  const asked = params.get("since");
  const since = windows.find((one) => one === asked) ?? "1h";
  return (
    <>
      <Title title={text.board.flowTitle(flow)} hidden />
      <Range since={since} />
      <Watched<BoardState> topic={withParams(addressOf("board", flow), { since })} rows={8}>
        {(state, shown) => <Shows flow={flow} since={since} state={state} shown={shown} />}
      </Watched>
    </>
  );
}

function Shows({ flow, since, state, shown }: { flow: string; since: Window; state: Live<BoardState>; shown: Shown }) {
  if (!state.queues.length) return <Empty head={text.board.noQueues}>{text.board.noQueuesWhat}</Empty>;
  if (state.queues.every(isFresh)) return <Fresh flow={flow} queues={state.queues} />;
  return (
    <div className="stack-page">
      <Troubles flow={flow} findings={state.check.findings} queues={state.queues} old={shown.old} />
      <Figures flow={flow} queues={state.queues} history={state.history} since={since} />
      <Columns queues={state.queues} lanes={state.lanes} history={state.history} at={shown.at} old={shown.old} />
      <Charts history={state.history} since={since} />
    </div>
  );
}

/** Which window the figures are of: it stands in the top bar, and in the address. */
function Range({ since }: { since: Window }) {
  const [place, setPlace] = useState<HTMLElement | null>(null);
  useEffect(() => setPlace(document.getElementById("top-tools")), []);
  const choose = (one: Window) => setParams({ since: one === "1h" ? null : one });
  const step = (by: number) => choose(windows[windows.indexOf(since) + by] ?? since);
  useCommands([
    { key: "shorter", run: () => step(-1) },
    { key: "longer", run: () => step(1) },
  ]);
  if (!place) return null;
  return createPortal(
    <Segments
      label={text.board.window}
      value={since}
      options={windows.map((one) => [one, text.board.windows[one]] as const)}
      onChange={choose}
    />,
    place,
  );
}
