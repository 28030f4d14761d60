/** Who did what: the log of actions, live, in sentences; older entries are asked for. */
import type { ActionsPage, Live } from "@typed-flows/react";
import { useEffect, useMemo, useState } from "react";
import type { PageProps } from "..";
import { ask, Problem } from "../../ask";
import { dayOf } from "../../format";
import { useMe } from "../../me";
import { Button } from "../../parts/Button";
import { Card } from "../../parts/Card";
import { Empty } from "../../parts/Empty";
import { Forbidden } from "../../parts/Forbidden";
import { Title } from "../../parts/Title";
import { useToast } from "../../parts/Toast";
import { Watched } from "../../parts/Watched";
import { setParams, withParams } from "../../route";
import * as text from "../../text";
import { byDay, joined, type Entry } from "./entries";
import { Action } from "./Entry";
import { Filters } from "./Filters";

const LIMIT = 100;

export default function Audit({ params }: PageProps) {
  const me = useMe();
  const asked = {
    doing: params.get("doing") ?? "",
    caller: params.get("caller") ?? "",
    flow: params.get("flow") ?? "",
    about: params.get("about") ?? "",
  };
  if (!me.operations.includes("audit.list"))
    return <Forbidden title={text.audit.title} what={text.audit.forOperators} />;
  const topic = withParams("audit", { ...asked, limit: String(LIMIT) });
  return (
    <div className="stack page">
      <Title title={text.audit.title} sub={text.audit.sub} />
      <Watched<ActionsPage> topic={topic} rows={8}>
        {(state) => <Log key={topic} state={state} asked={asked} open={params.get("open")} />}
      </Watched>
    </div>
  );
}

type Asked = { doing: string; caller: string; flow: string; about: string };

function Log({ state, asked, open }: { state: Live<ActionsPage>; asked: Asked; open: string | null }) {
  const older = useOlder(asked, state.cursor);
  const entries = useMemo(() => joined([...state.actions, ...older.entries]), [state.actions, older.entries]);
  const callers = useSeen(entries);
  const filtered = Object.values(asked).some(Boolean);
  return (
    <div className="stack">
      <Filters {...asked} callers={callers} />
      {entries.length === 0 && filtered && (
        <Empty
          head={text.audit.noneHead}
          acts={
            <Button onPress={() => setParams({ doing: null, caller: null, flow: null, about: null })}>
              {text.audit.clear}
            </Button>
          }
        >
          {text.audit.none}
        </Empty>
      )}
      {entries.length === 0 && !filtered && (
        <Empty head={text.audit.emptyHead} command={text.audit.command}>
          {text.audit.empty}
        </Empty>
      )}
      {byDay(entries, dayOf).map(([title, some]) => (
        <Card key={title} title={title}>
          <ol className="actions">
            {some.map((entry) => (
              <Action key={entry.request} entry={entry} open={entry.request === open} />
            ))}
          </ol>
        </Card>
      ))}
      {entries.length > 0 && (
        <div className="gap">
          {older.cursor ? (
            <Button busy={older.busy} onPress={older.more}>
              {text.audit.older}
            </Button>
          ) : (
            <span className="dim">{text.audit.oldest}</span>
          )}
        </div>
      )}
    </div>
  );
}

/** Pages behind the first one, which is live: from where that ended when the first of them was asked for. */
function useOlder(asked: Asked, first: string) {
  const [pages, setPages] = useState<{ entries: Entry[]; cursor: string } | null>(null);
  const [busy, setBusy] = useState(false);
  const toast = useToast();
  const cursor = pages?.cursor ?? first;
  const more = async () => {
    setBusy(true);
    try {
      const given = Object.fromEntries(Object.entries(asked).filter(([, value]) => value));
      const found = await ask("audit.list", { ...given, cursor, limit: LIMIT });
      setPages((before) => ({ entries: [...(before?.entries ?? []), ...found.actions], cursor: found.cursor }));
    } catch (error) {
      toast(error instanceof Problem ? error.detail : String(error));
    }
    setBusy(false);
  };
  return { entries: pages?.entries ?? NONE, cursor, busy, more: () => void more() };
}

const NONE: Entry[] = [];

/** All who were seen since the page was opened, so that the choice does not shrink with what is chosen. */
const seen = new Set<string>();
function useSeen(entries: readonly Entry[]): readonly string[] {
  const [callers, setCallers] = useState<readonly string[]>([...seen]);
  useEffect(() => {
    for (const entry of entries) seen.add(entry.caller);
    setCallers((before) => (before.length === seen.size ? before : [...seen]));
  }, [entries]);
  return callers;
}
