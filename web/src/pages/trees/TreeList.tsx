/** Rows of trees, a page at a time. */
import type { Live, TreePageView, TreeRow } from "@typed-flows/react";
import { useState } from "react";
import { ask, queryOf, type Params } from "../../ask";
import { percent, shortId } from "../../format";
import { useCommands } from "../../keys/commands";
import { Ago } from "../../parts/Ago";
import { Button, LinkButton } from "../../parts/Button";
import { Card } from "../../parts/Card";
import { Empty } from "../../parts/Empty";
import { Link } from "../../parts/Link";
import { openRow } from "../../parts/openRow";
import { State } from "../../parts/State";
import { Watched } from "../../parts/Watched";
import { at, navigate, withParams } from "../../route";
import * as text from "../../text";
import { word } from "../runs/query";
import { namesOf, paramsOf, without, type Chip, type Query } from "./query";
import { shapeOf } from "./stand";

const PAGE = 50;
/** So many labels of a tree are shown. */
const MOST = 4;
type Row = Live<TreeRow>;

interface Props {
  q: string;
  query: Query;
  chip: Chip;
}

export function TreeList({ q, query, chip }: Props) {
  const params = paramsOf(query, chip, PAGE);
  return (
    <Watched<TreePageView> topic={`trees?${queryOf(params)}`} rows={8}>
      {(state) => <List told={state} params={params} q={q} query={query} chip={chip} />}
    </Watched>
  );
}

function List({ told, params, q, query, chip }: Props & { told: Live<TreePageView>; params: Params<"trees.list"> }) {
  const words = text.trees;
  const [further, setFurther] = useState<{ rows: Row[]; cursor: string } | null>(null);
  const [busy, setBusy] = useState(false);
  const [cursorAt, setCursorAt] = useState(-1);
  const cursor = further ? further.cursor : told.cursor;
  const more = async () => {
    setBusy(true);
    try {
      const page = await ask("trees.list", { ...params, cursor });
      setFurther((before) => ({ rows: [...(before?.rows ?? []), ...page.trees], cursor: page.cursor }));
    } finally {
      setBusy(false);
    }
  };
  const known = new Set(told.trees.map((row) => row.id));
  const rows = [...told.trees, ...(further?.rows.filter((row) => !known.has(row.id)) ?? [])];
  const current = rows[cursorAt];
  useCommands([
    { key: "next", run: () => setCursorAt((n) => Math.min(rows.length - 1, n + 1)) },
    { key: "previous", run: () => setCursorAt((n) => Math.max(0, n - 1)) },
    { key: "open", off: current ? null : words.empty, run: () => current && navigate(at("trees", current.id)) },
    { key: "clear", run: () => setCursorAt(-1) },
  ]);
  if (!rows.length && !cursor) return <Nothing q={q} query={query} chip={chip} />;
  const { heads } = words;
  return (
    <Card title={words.title} more={words.order}>
      <table className="list treerows">
        <thead>
          <tr>
            <th scope="col">{heads.state}</th>
            <th scope="col">{heads.name}</th>
            <th scope="col">{heads.generator}</th>
            <th scope="col">{heads.realm}</th>
            <th scope="col">{heads.labels}</th>
            <th scope="col" className="num">
              {heads.progress}
            </th>
            <th scope="col" className="num">
              {heads.created}
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <OneRow key={row.id} row={row} at={row === current} />
          ))}
        </tbody>
      </table>
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

function OneRow({ row, at: current }: { row: Row; at: boolean }) {
  const labels = Object.entries(row.labels);
  const link = (name: string, value: string) => withParams("trees", { q: word(name, value) });
  return (
    <tr
      className={`opens ${current ? "at" : ""}`}
      aria-current={current || undefined}
      onClick={openRow(at("trees", row.id))}
    >
      <td>
        <State shape={shapeOf[row.status]} word={text.trees.statuses[row.status]} />
      </td>
      <td>
        <Link to={at("trees", row.id)} title={row.id}>
          <bdi className={row.name ? "" : "mono"}>{row.name || shortId(row.id)}</bdi>
        </Link>
      </td>
      <td>
        <Link to={link("generator", row.generator)}>
          <bdi>{row.generator}</bdi>
        </Link>
        <bdi className="dim"> {row.app}</bdi>
      </td>
      <td>
        {row.realm && (
          <Link to={link("realm", row.realm)}>
            <bdi>{row.realm}</bdi>
          </Link>
        )}
      </td>
      <td className="lk cut wide">
        <bdi>
          {labels.slice(0, MOST).map(([name, value], i) => (
            <span key={name}>
              {i > 0 && " · "}
              {name} <b>{value}</b>
            </span>
          ))}
        </bdi>
      </td>
      <td className="num">{percent(row.progress)}</td>
      <td className="num nowrap">
        <Ago at={row.created} />
      </td>
    </tr>
  );
}

/** Offers the same with a word less. */
function Nothing({ q, query, chip }: Props) {
  const words = text.trees;
  if (!q && chip === "all")
    return (
      <Empty head={words.empty} command={words.emptyCommand}>
        {words.emptyMore}
      </Empty>
    );
  const state = chip === "all" ? null : chip;
  return (
    <Empty
      head={words.nothing}
      acts={
        <span className="gap">
          {state && <LinkButton to={withParams("trees", { q })}>{words.anyState}</LinkButton>}
          {namesOf(query).map(([name, value]) => (
            <LinkButton key={name} to={withParams("trees", { q: without(query, name), state })}>
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
