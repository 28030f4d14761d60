/** An address of a job that is not there: gone, or of something else. */
import { useTopic, type FlowRow } from "@typed-flows/react";
import { useEffect, useState } from "react";
import { LinkButton } from "../../parts/Button";
import { Empty } from "../../parts/Empty";
import { Title } from "../../parts/Title";
import { ask } from "../../ask";
import { jobAt, jobsAt, route } from "../../route";
import * as text from "../../text";

const said = text.job.gone;

export function Gone({ flow, id, error }: { flow: string; id: string; error: { code: string; message: string } }) {
  const [place, setPlace] = useState<string | null>(null);
  const { state } = useTopic<{ items: FlowRow[] }>("flows");
  const flows = state?.items.map((one) => one.name).join("|");
  useEffect(() => {
    if (!flows) return;
    let over = false;
    Promise.all(flows.split("|").map((one) => ask("jobs.find", { flow: one, query: `id:${id}`, limit: 1 }))).then(
      (pages) => {
        const [job] = pages.flatMap((page) => page.jobs);
        const found = job && jobAt(job.flow, job.id);
        if (!over && found && found !== route().path) setPlace(found);
      },
      () => {}, // it is no id, or the server is away, and says so elsewhere
    );
    return () => {
      over = true;
    };
  }, [id, flows]);
  return (
    <>
      <Title title={text.job.title} sub={<bdi className="mono">{id}</bdi>} />
      <Empty
        head={place ? said.elsewhere : error.code === "unknown" ? said.head : error.message}
        acts={
          <div className="gap">
            {place && <LinkButton to={place}>{said.open}</LinkButton>}
            {!flow.includes(":") && <LinkButton to={jobsAt(`flow:${flow}`)}>{said.list}</LinkButton>}
          </div>
        }
      >
        {place ? error.message : error.code === "unknown" && said.more}
      </Empty>
    </>
  );
}
