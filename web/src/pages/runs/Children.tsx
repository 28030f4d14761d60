/** The runs that a step has started, in pages of their own order: there may be 10,000. */
import type { Answer } from "../../ask";
import { ask } from "../../ask";
import type { Live, StepView } from "@typed-flows/react";
import { useEffect, useState } from "react";
import { count } from "../../format";
import { Ago } from "../../parts/Ago";
import { Button } from "../../parts/Button";
import { Link } from "../../parts/Link";
import { Mark } from "../../parts/State";
import type { Shape } from "../../parts/shapes";
import { at } from "../../route";
import { shortId } from "../../format";
import * as text from "../../text";

const PAGE = 20;
const words: Record<string, Shape> = {
  waiting: "waiting",
  delayed: "delayed",
  processing: "processing",
  suspended: "sleeping",
  done: "done",
  failed: "failed",
  cancelled: "cancelled",
};

export function Children({ run, step }: { run: string; step: Live<StepView> }) {
  const [start, setStart] = useState(0);
  const [page, setPage] = useState<Answer<"runs.children"> | null>(null);
  const { ended, total } = step;
  useEffect(() => {
    const gone = new AbortController();
    ask("runs.children", { id: run, step: step.name, start, limit: PAGE }, gone.signal).then(setPage, () => {});
    return () => gone.abort();
  }, [run, step.name, start, ended, total]); // each end of a child is told by the topic
  const { step: said } = text.run;
  if (!page) return null;
  return (
    <>
      <div className="prog" aria-hidden="true">
        <i className="children" style={{ width: `${(100 * page.ended) / Math.max(1, page.total)}%` }} />
      </div>
      <ul className="kidlist">
        {page.children.map((child) => (
          <li key={child.index}>
            <span className="num dim">{count(child.index + 1)}</span>
            <Mark shape={words[child.status] ?? "inactive"} />
            {child.id ? (
              <Link to={at("runs", child.id)} className="mono" title={child.id}>
                {shortId(child.id)}
              </Link>
            ) : (
              <span className="dim">{said.childGone}</span>
            )}
            <span className="cut">
              {said.childWord(child.status)}
              {child.error_type != null && <bdi className="err"> {child.error_type}</bdi>}
              {child.attempts > 1 && ` · ${said.childAttempts(child.attempts)}`}
            </span>
            <span className="num dim">{child.since != null && <Ago at={child.since} plain />}</span>
          </li>
        ))}
      </ul>
      {page.total > PAGE && (
        <div className="gap">
          <Button
            look="small"
            icon="back"
            label={said.before}
            off={start === 0 ? said.first : null}
            onPress={() => setStart(Math.max(0, start - PAGE))}
          />
          <span className="sub">{said.childrenOf(start + 1, Math.min(start + PAGE, page.total), page.total)}</span>
          <Button
            look="small"
            icon="right"
            label={said.next}
            off={start + PAGE >= page.total ? said.last : null}
            onPress={() => setStart(start + PAGE)}
          />
        </div>
      )}
    </>
  );
}
