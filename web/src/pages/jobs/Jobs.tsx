/** The list of jobs that a search finds; the search is the address. */
import { useTopic, type FlowRow } from "@typed-flows/react";
import { useFlow } from "../../frame/useFlow";
import { Bones } from "../../parts/Bones";
import { Empty } from "../../parts/Empty";
import { Link } from "../../parts/Link";
import { Title } from "../../parts/Title";
import { withParams } from "../../route";
import { text } from "../../text";
import type { PageProps } from "..";
import { Found } from "./Found";
import { namesFlow } from "./query";

const said = text.jobs;

export default function Jobs({ params }: PageProps) {
  const query = params.get("q") ?? "";
  const { state } = useTopic<{ items: FlowRow[] }>("flows");
  const flows = state?.items.map((one) => one.name) ?? [];
  const flow = useFlow(flows) ?? params.get("flow");
  if (namesFlow(query) || flow !== null) {
    const asked = namesFlow(query) ? null : flow;
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
        <Link key={flow} to={withParams("jobs", { q: `flow:${flow} ${query}`.trim() })} className="filter">
          <bdi>{flow}</bdi>
        </Link>
      ))}
    </div>
  );
}
