/** What was found and how, the file of it, and the way on. */
import type { JobPage, Live } from "@typed-flows/react";
import { count } from "../../format";
import { Button } from "../../parts/Button";
import { Menu } from "../../parts/Menu";
import { navigate, route, setParams, withParams } from "../../route";
import * as text from "../../text";
import { PAGE, WINDOW } from "./useList";
import { goTo } from "./Places";

const said = text.jobs.foot;

interface Props {
  page: Live<JobPage>;
  shown: number;
  query: string;
  /** How many pages by cursors lie before. */
  from: number;
}

export function Foot({ page, shown, query, from }: Props) {
  const place = page.place ?? null;
  const first = place ?? from;
  const save = (format: string) =>
    location.assign(new URL(withParams("export/jobs", { q: query, flow: page.flow, format }), document.baseURI));
  return (
    <div className="foot">
      <span>
        {page.total == null ? (
          said.found(shown)
        ) : (
          <>
            <b className="sub">{count(page.total)}</b>{" "}
            {place !== null && page.exact
              ? text.jobs.places.byCount
              : page.sampled
                ? said.sampled
                : page.exact
                  ? said.exactly
                  : said.atLeast}
          </>
        )}
        {place === null && page.looked_through > 0 && said.looked(page.looked_through)}
      </span>
      {page.sampled && <span className="dim hide-s">{said.sample}</span>}
      <span className="gap end">
        <Menu
          label={said.export}
          icon="export"
          look="small"
          items={[
            { text: said.exportCsv, onChoose: () => save("csv") },
            { text: said.exportLines, onChoose: () => save("jsonl") },
          ]}
        >
          {said.export}
        </Menu>
        {shown > 0 && (
          <span>
            {place === null ? said.range(first + 1, first + shown) : text.jobs.places.rows(first + 1, first + shown)}
          </span>
        )}
        {place === null ? (
          <>
            {from > 0 && (
              <Button look="small" onPress={() => setParams({ cursor: null, from: null }, { replace: false })}>
                {said.first}
              </Button>
            )}
            {page.cursor && (
              <Button look="small" onPress={() => next(page.cursor, from + shown)}>
                {said.next(PAGE)}
              </Button>
            )}
          </>
        ) : (
          <>
            {place > 0 && (
              <Button look="small" onPress={() => goTo(place - WINDOW, page.total ?? Infinity)}>
                {said.previous(WINDOW)}
              </Button>
            )}
            {page.cursor && (
              <Button look="small" onPress={() => goTo(place + WINDOW, page.total ?? Infinity)}>
                {said.next(WINDOW)}
              </Button>
            )}
          </>
        )}
      </span>
    </div>
  );
}

function next(cursor: string, from: number) {
  const { path, params } = route();
  const to = new URLSearchParams(params);
  to.set("cursor", cursor);
  to.set("from", String(from));
  to.delete("at");
  navigate(`${path}?${to}`);
}
