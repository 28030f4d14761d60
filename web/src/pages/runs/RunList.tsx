/** The rows: live, in their places; further pages are asked for. */
import { type Live, type RunPageView, type RunRow } from "@typed-flows/react";
import { useEffect, useState } from "react";
import { ask, queryOf, type Params } from "../../ask";
import { useCommands } from "../../keys/commands";
import { Button, LinkButton } from "../../parts/Button";
import { Card } from "../../parts/Card";
import { Empty } from "../../parts/Empty";
import { Icon } from "../../parts/Icon";
import { Watched } from "../../parts/Watched";
import { at, navigate, withParams } from "../../route";
import * as text from "../../text";
import { hold, newer, type Held } from "./held";
import { paramsOf, word, type Chip, type Query } from "./query";
import { Rows } from "./Rows";

const PAGE = 50;
type Row = Live<RunRow>;

interface Props {
  q: string;
  query: Query;
  chip: Chip;
}

export function RunList({ q, query, chip }: Props) {
  const params = paramsOf(query, chip, PAGE);
  return (
    <Watched<RunPageView> topic={`runs?${queryOf(params)}`} rows={8}>
      {(state) => <List told={state} params={params} q={q} query={query} chip={chip} />}
    </Watched>
  );
}

interface ListProps extends Props {
  told: Live<RunPageView>;
  params: Params<"runs.list">;
}

function List({ told, params, q, query, chip }: ListProps) {
  const words = text.runs;
  const [shown, setShown] = useState<Held<Row>>({ rows: told.runs, gone: new Set() });
  const [further, setFurther] = useState<{ rows: Row[]; cursor: string } | null>(null);
  const [busy, setBusy] = useState(false);
  const [cursorAt, setCursorAt] = useState(-1);
  const waiting = newer(shown, told.runs);
  useEffect(
    () => setShown((before) => (before.rows.length ? hold(before, told.runs) : { rows: told.runs, gone: new Set() })),
    [told.runs],
  );
  const show = () => setShown({ rows: told.runs, gone: new Set() });
  const cursor = further ? further.cursor : told.cursor;
  const more = async () => {
    setBusy(true);
    try {
      const page = await ask("runs.list", { ...params, cursor });
      setFurther((before) => ({ rows: [...(before?.rows ?? []), ...page.runs], cursor: page.cursor }));
    } finally {
      setBusy(false);
    }
  };
  const known = new Set(shown.rows.map((row) => row.id));
  const rows = [...shown.rows, ...(further?.rows.filter((row) => !known.has(row.id)) ?? [])];
  // A row whose place is behind the page is not gone: the page has moved on.
  const last = told.runs.at(-1)?.id ?? "";
  const gone = new Set([...shown.gone].filter((id) => id > last));
  const current = rows[cursorAt];
  useCommands([
    { key: "next", run: () => setCursorAt((n) => Math.min(rows.length - 1, n + 1)) },
    { key: "previous", run: () => setCursorAt((n) => Math.max(0, n - 1)) },
    { key: "open", off: current ? null : words.empty, run: () => current && navigate(at("runs", current.id)) },
    { key: "clear", run: () => setCursorAt(-1) },
  ]);
  if (!rows.length) return <Nothing q={q} query={query} chip={chip} />;
  return (
    <Card title={words.all} more={words.order}>
      {waiting > 0 && (
        <button type="button" className="newer" onClick={show}>
          <Icon name="up" />
          {words.newer(waiting)}
        </button>
      )}
      <Rows rows={rows} gone={gone} at={current?.id ?? null} />
      <div className="foot">
        <span>{words.shown(rows.length)}</span>
        <span className="spacer" />
        {cursor ? (
          <Button look="small" busy={busy} onPress={() => void more()}>
            {words.more}
          </Button>
        ) : (
          <span>{words.noMore}</span>
        )}
      </div>
    </Card>
  );
}

/** Offers the same with a word less. */
function Nothing({ q, query, chip }: Props) {
  const words = text.runs;
  if (!q && chip === "all")
    return (
      <Empty head={words.empty} command={words.emptyCommand}>
        {words.emptyMore}
      </Empty>
    );
  const all: [string, string][] = [
    ...(query.workflow === null ? [] : [["workflow", query.workflow] as [string, string]]),
    ...(query.tag === null ? [] : [["tag", query.tag] as [string, string]]),
    ...Object.entries(query.lookup),
  ];
  const without = (left: string) =>
    all
      .filter(([name]) => name !== left)
      .map(([name, value]) => word(name, value))
      .join(" ");
  const state = chip === "all" ? null : chip;
  return (
    <Empty
      head={words.nothing}
      acts={
        <span className="gap">
          {state && <LinkButton to={withParams("runs", { q })}>{words.anyState}</LinkButton>}
          {all.map(([name, value]) => (
            <LinkButton key={name} to={withParams("runs", { q: without(name), state })}>
              <bdi>{words.without(word(name, value))}</bdi>
            </LinkButton>
          ))}
        </span>
      }
    >
      {words.nothingMore}
    </Empty>
  );
}
