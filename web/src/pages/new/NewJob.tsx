/** A new job: a form from the schema that the flow has left, and the same as JSON beside it. */
import { useTopic, type FlowRow, type FlowView } from "@typed-flows/react";
import { useFlow } from "../../frame/useFlow";
import { Bones } from "../../parts/Bones";
import { Empty } from "../../parts/Empty";
import { Link } from "../../parts/Link";
import { Sentence } from "../../parts/Sentence";
import { Title } from "../../parts/Title";
import { withParams } from "../../route";
import * as text from "../../text";
import type { PageProps } from "..";
import { useFlowView } from "../useFlowView";
import { Creating } from "./Creating";
import { useLike } from "./useLike";

const said = text.newJob;

export default function NewJob({ params }: PageProps) {
  const { state } = useTopic<{ items: FlowRow[] }>("flows");
  const flows = state?.items.map((one) => one.name) ?? [];
  const flow = useFlow(flows) ?? params.get("flow");
  const { view, problem } = useFlowView(flow);
  if (flow === null)
    return (
      <>
        <Title title={said.title} />
        {state === null ? (
          <Bones rows={5} />
        ) : flows.length ? (
          <Empty
            head={said.chooseFlow.head}
            acts={
              <div className="filters">
                {flows.map((one) => (
                  <Link key={one} to={withParams("new", { flow: one })} className="filter">
                    <bdi>{one}</bdi>
                  </Link>
                ))}
              </div>
            }
          >
            {said.chooseFlow.more}
          </Empty>
        ) : (
          <Empty head={text.jobs.noFlows.head} command={text.jobs.noFlows.command}>
            {text.jobs.noFlows.more}
          </Empty>
        )}
      </>
    );
  if (view === null)
    return (
      <>
        <Title title={said.title} />
        {problem ? <Sentence look="bad" head={problem} /> : <Bones rows={8} />}
      </>
    );
  return <Known key={flow} view={view} like={params.get("like")} />;
}

/** The form is drawn when what it begins with is there: the defaults, or what another job was created with. */
function Known({ view, like }: { view: FlowView; like: string | null }) {
  const { params, problem } = useLike(view.name, like);
  if (view.own || !view.declared.length)
    return (
      <>
        <Title title={said.title} />
        <Sentence head={said.ownFlow} />
      </>
    );
  if (like !== null && params === null && problem === null) return <Bones rows={8} />;
  return (
    <>
      {problem && <Sentence look="bad" head={problem} />}
      <Creating view={view} start={params} />
    </>
  );
}
