/** A search without a job: the same with a word less, each with how many it would find. */
import type { JobPage } from "@typed-flows/react";
import { useEffect, useState } from "react";
import { ask } from "../../ask";
import { count } from "../../format";
import { Empty } from "../../parts/Empty";
import { Link } from "../../parts/Link";
import * as text from "../../text";
import { listAt } from "./listAt";
import { wordsOf } from "./query";

const said = text.jobs.empty;
/** So many words are left out, one after another. */
const MOST = 6;

export function Nothing({ query, flow }: { query: string; flow: string }) {
  const words = wordsOf(query);
  const plain = words.filter((word) => word.name !== "flow" && word.values.length > 0);
  const single = !words.some((word) => word.name === "or" && !word.values.length);
  const less = single
    ? plain.slice(0, MOST).map((left) => ({
        left: left.text,
        query: words
          .filter((word) => word !== left)
          .map((word) => word.text)
          .join(" "),
      }))
    : [];
  if (plain.length === 0)
    return (
      <Empty head={said.none} command={said.command(flow)}>
        {said.noneMore}
      </Empty>
    );
  return (
    <Empty
      head={said.head}
      acts={
        <div className="filters">
          {less.map((one) => (
            <Counted key={one.left} label={said.without(one.left)} query={one.query} flow={flow} />
          ))}
        </div>
      }
    >
      {said.more}
    </Empty>
  );
}

/** A search beside this one, with how many jobs it finds; none where it cannot be asked. */
export function Counted({ label, query, flow }: { label: string; query: string; flow: string }) {
  const [page, setPage] = useState<JobPage | null>(null);
  useEffect(() => {
    const gone = new AbortController();
    ask("jobs.find", { query, flow, limit: 1 }, gone.signal).then(setPage, () => {}); // then it has no number
    return () => gone.abort();
  }, [query, flow]);
  return (
    <Link to={listAt(query, flow)} className="filter">
      <bdi className="mono">{label}</bdi>
      {page?.total != null && <b>{page.exact ? count(page.total) : text.jobs.atLeast(page.total)}</b>}
    </Link>
  );
}
