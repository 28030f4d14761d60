/** The list of jobs that a search finds; the search is the address. */
import { useTopic, type FlowRow } from "@typed-flows/react";
import { useEffect } from "react";
import { useFlow } from "../../frame/useFlow";
import { Bones } from "../../parts/Bones";
import { Empty } from "../../parts/Empty";
import { Title } from "../../parts/Title";
import { setParams } from "../../route";
import * as text from "../../text";
import type { PageProps } from "..";
import { Found } from "./Found";
import { Counted } from "./Nothing";
import { namesFlow } from "./query";

const said = text.jobs;

export default function Jobs({ params }: PageProps) {
  const query = params.get("q") ?? "";
  const { state } = useTopic<{ items: FlowRow[] }>("flows");
  const flows = state?.items.map((one) => one.name) ?? [];
  const flow = useFlow(flows) ?? params.get("flow");
  const named = namesFlow(query);
  const isSaid = named || params.has("flow");
  // The address is the whole state: a flow that was chosen before is not known to whom it is sent.
  useEffect(() => {
    if (!isSaid && flow !== null) setParams({ flow });
  }, [isSaid, flow]);
  if (named || flow !== null) {
    const asked = named ? null : flow;
    // Another search is another list: nothing of what was selected in this one is selected in that.
    return <Found key={`${asked} ${query}`} query={query} flow={asked} params={params} />;
  }
  return (
    <>
      <Title title={said.title} />
      {state === null ? (
        <Bones rows={6} />
      ) : flows.length ? (
        <Empty head={said.chooseFlow.head} acts={<Choose flows={flows} query={query} />}>
          {said.chooseFlow.more}
        </Empty>
      ) : (
        <Empty head={said.noFlows.head} command={said.noFlows.command}>
          {said.noFlows.more}
        </Empty>
      )}
    </>
  );
}

function Choose({ flows, query }: { flows: readonly string[]; query: string }) {
  return (
    <div className="filters">
      {flows.map((flow) => (
        <Counted key={flow} label={flow} query={query} flow={flow} />
      ))}
    </div>
  );
}
