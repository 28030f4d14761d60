/** One job: where it is and why, its way, its attempts, its fields, its children, its log, and what can be done. */
import type { Live } from "@typed-flows/react";
import { Bones } from "../../parts/Bones";
import { Title } from "../../parts/Title";
import { LastKnown } from "../../parts/Watched";
import * as text from "../../text";
import type { PageProps } from "..";
import { useAttempts, useFlowView } from "../useFlowView";
import { Attempts } from "./Attempts";
import { Children } from "./Children";
import { Explained } from "./Explained";
import { Failure } from "./Failure";
import { Fields } from "./Fields";
import { Gone } from "./Gone";
import { Head } from "./Head";
import { Log } from "./Log";
import { Path } from "./Path";
import { Taken } from "./Taken";
import { Timeline } from "./Timeline";
import { useChildren } from "./useChildren";
import { ownFlow, useJob, type Told } from "./useJob";

export default function Job({ args }: PageProps) {
  const flow = args["flow"] ?? "";
  const id = args["id"] ?? "";
  return <One key={`${flow} ${id}`} flow={flow} id={id} />;
}

function One({ flow, id }: { flow: string; id: string }) {
  const { told, at, old, error } = useJob(flow, id);
  if (told === null) return error ? <Gone flow={flow} id={id} error={error} /> : <Loading id={id} />;
  return (
    <>
      {old !== null && <LastKnown at={at} because={error ? text.job.gone.meanwhile : text.parts.serverAway} />}
      <Shown flow={flow} told={told} old={old} />
    </>
  );
}

function Loading({ id }: { id: string }) {
  return (
    <>
      <Title title={text.job.title} sub={<bdi className="mono">{id}</bdi>} />
      <Bones rows={8} />
    </>
  );
}

function Shown({ flow, told: { job, explanation }, old }: { flow: string; told: Live<Told>; old: string | null }) {
  const own = ownFlow(job);
  const { view } = useFlowView(own);
  const attempts = useAttempts(view);
  const children = useChildren(job.children ? flow : null, job.id);
  return (
    <div className={old === null ? "is stack" : "was stack"}>
      <Head job={job} view={view} attempts={attempts} old={old} />
      <Explained explanation={explanation} state={job.state} children={children.page} />
      <Path job={job} view={view} />
      <div className="cols">
        <div className="stack">
          <Timeline job={job} view={view} children={children.page} />
          <Attempts job={job} attempts={attempts} />
          <Fields job={job} view={view} />
        </div>
        <div className="stack">
          {job.error && <Failure job={job} error={job.error} />}
          {job.children && <Children job={job} children={children} />}
          <Log flow={job.flow} id={job.id} />
          <Taken id={job.id} moved={`${job.state} ${job.queue} ${job.since}`} />
        </div>
      </div>
    </div>
  );
}
