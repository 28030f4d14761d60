/** What one search has found: chips, rows, what is selected, and the preview of what is to be done. */
import { useState } from "react";
import { useCommands } from "../../keys/commands";
import { Bones } from "../../parts/Bones";
import { Button } from "../../parts/Button";
import { Card } from "../../parts/Card";
import { copy } from "../../parts/copy";
import { Icon } from "../../parts/Icon";
import { Title } from "../../parts/Title";
import { LastKnown } from "../../parts/Watched";
import { useToast } from "../../parts/Toast";
import { jobAt, navigate, route, setParams } from "../../route";
import * as text from "../../text";
import { VERBS, type Verb } from "../../text/en/jobs";
import { useAttempts, useFlowView } from "../useFlowView";
import { Chips } from "./Chips";
import { Named } from "./Consequences";
import { Foot } from "./Foot";
import { Grows, Outlook, useQueue } from "./Long";
import { Nothing } from "./Nothing";
import { Jump, Slider } from "./Places";
import { Preview } from "./Preview";
import { Progress } from "./Progress";
import { namesFlow, namesIds, quoted, valuesOf } from "./query";
import { Rows } from "./Rows";
import { SelectionBar, useWhyNotTo } from "./SelectionBar";
import { Unread } from "./Unread";
import { useBulk } from "./useBulk";
import { PAGE, useList, WINDOW } from "./useList";
import { useSelection } from "./useSelection";

const said = text.jobs;
/** From so many on, a queue's list is one that nobody reads to its end. */
const VERY_MANY = 1_000;

interface Props {
  query: string;
  /** Where the query does not name it. */
  flow: string | null;
  params: URLSearchParams;
}

const asVerb = (word: string | null) => VERBS.find((verb) => verb === word) ?? null;

export function Found({ query, flow, params }: Props) {
  const at = Number(params.get("at")) || 0;
  const list = useList({ query, flow, cursor: params.get("cursor") ?? "", at });
  const { page } = list;
  const name = page?.flow ?? flow ?? valuesOf(query, "flow")[0] ?? "";
  const { view } = useFlowView(page ? page.flow : null);
  const attempts = useAttempts(view);
  const [verb, setVerb] = useState<Verb | null>(() => asVerb(params.get("act")));
  const place = page?.place ?? null;
  const total = page?.total ?? null;
  const long = place !== null && total !== null && total > PAGE;
  const rows = long ? list.rows.slice(0, WINDOW) : list.rows;
  const selection = useSelection(rows, verb !== null);
  const bulk = useBulk(query, name);
  const toast = useToast();
  const whyNot = useWhyNotTo(selection);
  const whole = `${namesFlow(query) || !name ? "" : `flow:${name} `}${query}`;
  const allOff = namesIds(query) ? said.selection.byIds : null;
  const selected = selection.all || selection.rows.length > 0;
  const old = list.old === null ? null : text.parts.serverAway;

  const tell = (value: string, done: string) => void copy(value).then((ok) => toast(ok ? done : said.notCopied));
  const copyLink = () => tell(location.href, said.linkCopied);
  const command = selected && verb ? `flows jobs ${verb} --where` : "flows jobs ls";
  const open = () => {
    const row = rows[selection.at];
    if (row) navigate(jobAt(row.job.flow, row.job.id));
  };
  const under = () => rows[Math.max(0, selection.at)]?.job.id;
  const acts = (of: Verb) => ({
    key: of as "retry" | "cancel" | "move",
    off: selected ? (old ?? whyNot(of)) : said.selection.some(0),
    run: () => setVerb(of),
  });
  useCommands([
    { key: "next", run: () => selection.setAt(Math.min(selection.at + 1, rows.length - 1)) },
    { key: "previous", run: () => selection.setAt(Math.max(selection.at - 1, 0)) },
    { key: "open", off: verb ? said.preview.title(verb) : null, run: open },
    { key: "select", run: () => under() && selection.toggle(under()!) },
    { key: "selectTo", run: () => under() && selection.toggleTo(under()!) },
    { key: "selectShown", run: selection.selectShown },
    { key: "selectAll", off: allOff, run: selection.selectAll },
    { key: "clear", run: () => (verb ? setVerb(null) : selection.clear()) },
    ...(["retry", "cancel", "move"] as const).map(acts),
    { key: "undo", off: bulk.doing ? null : said.undone, run: bulk.undo },
    { key: "copyLink", run: copyLink },
  ]);
  const close = () => {
    setVerb(null);
    if (route().params.has("act")) setParams({ act: null });
  };
  const queue = valuesOf(query, "queue");
  return (
    <>
      <Title
        title={said.title}
        sub={<Named parts={long ? said.subPlaces(name, queue[0] ?? "") : said.sub(name)} className="strong" />}
        acts={
          <>
            <Button icon="save" onPress={copyLink}>
              {said.copyLink}
            </Button>
            <Button icon="code" onPress={() => tell(`${command} ${quoted(whole)}`, said.commandCopied)}>
              {said.copyCommand}
            </Button>
          </>
        }
      />
      {params.get("bulk") && name && !bulk.doing && <Progress flow={name} id={params.get("bulk")!} />}
      {list.old !== null && <LastKnown at={list.old} because={text.parts.serverAway} />}
      {list.problem ? (
        <Unread query={query} flow={flow ?? valuesOf(query, "flow")[0] ?? null} why={list.problem.message} />
      ) : (
        <>
          {long && total > VERY_MANY && queue[0] && <Waiting queue={queue[0]} total={total} query={query} />}
          <Chips query={query} flow={flow ?? name} />
          <div className={verb && selected && view ? "side" : ""}>
            <Card
              className={list.old === null ? "is found" : "was found"}
              title={said.heading(
                valuesOf(query, "state").join(", "),
                valuesOf(query, "error").join(", "),
                queue.join(", "),
              )}
              more={long ? <Jump at={place} total={total} /> : <span>{orderOf(query)}</span>}
            >
              {selected && (
                <SelectionBar
                  selection={selection}
                  total={total}
                  exact={page?.exact ?? false}
                  more={
                    page !== null && (page.cursor !== "" || list.more !== null || (total ?? 0) > selection.rows.length)
                  }
                  shown={rows.length}
                  allOff={allOff}
                  old={old}
                  onAct={setVerb}
                />
              )}
              {list.more !== null && (
                <button type="button" className="newer" onClick={list.showMore}>
                  <Icon name="up" />
                  {isByEnd(query) ? said.newer(list.more) : said.further(list.more)}
                </button>
              )}
              {page === null ? (
                <Bones rows={8} />
              ) : rows.length === 0 ? (
                <Nothing query={query} flow={name} />
              ) : (
                <div className={long ? "vlist" : ""}>
                  <Rows
                    rows={rows}
                    selection={selection}
                    attempts={attempts}
                    place={long ? place + 1 : null}
                    doing={bulk.doing}
                    off={old}
                  />
                  {long && <Slider at={place} total={total} />}
                </div>
              )}
              {page && <Foot page={page} shown={rows.length} query={query} from={Number(params.get("from")) || 0} />}
            </Card>
            {verb && selected && view && (
              <Preview
                key={verb}
                verb={verb}
                query={query}
                flow={view}
                chosen={selection.all ? null : selection.rows}
                attempts={attempts}
                onClose={close}
                onGo={async (plan, more) => {
                  const queues = plan.parts.map((part) => part.queue);
                  if (plan.before !== null) await bulk.onAll(verb, plan.count, plan.before, queues, more);
                  else bulk.onEach(verb, plan.chosen ?? [], queues, more);
                  selection.clear();
                }}
              />
            )}
          </div>
          {long && total > VERY_MANY && queue[0] && <Below queue={queue[0]} total={total} query={query} flow={name} />}
        </>
      )}
    </>
  );
}

/** Ended jobs that no lookup names are listed by when they ended, others from the oldest on. */
function isByEnd(query: string): boolean {
  const states = valuesOf(query, "state");
  return states.length > 0 && states.every((state) => ["failed", "done", "cancelled"].includes(state));
}

const orderOf = (query: string) => (isByEnd(query) ? said.newestFirst(valuesOf(query, "state")) : said.oldestFirst);

function Waiting({ queue, total, query }: { queue: string; total: number; query: string }) {
  const now = useQueue(queue);
  return now && valuesOf(query, "state")[0] === "waiting" ? <Grows queue={now} total={total} /> : null;
}

function Below({ queue, ...rest }: { queue: string; total: number; query: string; flow: string }) {
  const now = useQueue(queue);
  return now && valuesOf(rest.query, "state")[0] === "waiting" ? <Outlook queue={now} {...rest} /> : null;
}
