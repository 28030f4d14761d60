/** An address of a job that is not there: gone, or of something else. */
import { useTopic, type FlowRow } from "@typed-flows/react";
import { useEffect, useState } from "react";
import { LinkButton } from "../../parts/Button";
import { Empty } from "../../parts/Empty";
import { Title } from "../../parts/Title";
import { jobsAt, route } from "../../route";
import { placeOf } from "../../search/place";
import { text } from "../../text";

const said = text.job.gone;

export function Gone({ flow, id, error }: { flow: string; id: string; error: { code: string; message: string } }) {
  const [place, setPlace] = useState<string | null>(null);
  const { state } = useTopic<{ items: FlowRow[] }>("flows");
  const flows = state?.items.map((one) => one.name).join("|");
  useEffect(() => {
    if (flows === undefined) return;
    let over = false;
    placeOf(id, flows.split("|")).then(
      (found) => {
        if (!over && !found.startsWith("jobs?") && found !== route().path) setPlace(found);
      },
      () => {}, // the server is away, and says so elsewhere
    );
    return () => {
      over = true;
    };
  }, [id, flows]);
  const own = flow.split(":")[0]!;
  return (
    <>
      <Title title={text.job.title} sub={<bdi className="mono">{id}</bdi>} />
      <Empty
        head={place ? said.elsewhere : error.code === "unknown" ? said.head : error.message}
        acts={
          <div className="gap">
            {place && <LinkButton to={place}>{said.open}</LinkButton>}
            <LinkButton to={jobsAt(`flow:${own}`)}>{said.list}</LinkButton>
          </div>
        }
      >
        {place ? error.message : said.more}
      </Empty>
    </>
  );
}
