/** Everything that can be done or gone to, by a few letters. */
import type { FlowRow, Live } from "@typed-flows/react";
import { type KeyboardEvent, useEffect, useId, useMemo, useRef, useState } from "react";
import { time } from "../format";
import { useAllCommands } from "../keys/commands";
import { useMe, useWhyNot } from "../me";
import { Icon } from "../parts/Icon";
import { Modal } from "../parts/Modal";
import { navigate, withParams } from "../route";
import { placeOf } from "../search/place";
import { isId } from "../search/words";
import * as text from "../text";
import { hitsByValue } from "./byValue";
import { pick, read } from "./find";
import { Found } from "./Found";
import { type Hit, hitsOf, onManyOf, placesOf, treesOf, whoDid } from "./hits";
import { PaletteFoot } from "./PaletteFoot";
import { type Around, useAround, useByValue, useTreesBy } from "./useServer";

interface Props {
  page: string;
  flows: readonly Live<FlowRow>[];
  flow: string | null;
  onClose: () => void;
}

export default function Palette({ page, flows, flow, onClose }: Props) {
  const [typed, setTyped] = useState("");
  /** The one that was chosen; null: the first that can be done now. */
  const [at, setAt] = useState<number | null>(null);
  const list = useId();
  const chosen = useRef<HTMLElement>(null);
  const asked = useMemo(() => read(typed), [typed]);
  const off = useWhyNot()("bulk.apply");
  const commands = useAllCommands();
  const audit = useMe().operations.includes("audit.list");
  const around = useAround(flow, audit);
  const byValue = useByValue(flows, flow, asked.only.includes("values") ? asked.value : "");
  const trees = useTreesBy(asked.only.includes("trees") && asked.verb === null ? asked.value : "");

  const { verb, words } = asked;
  const names = flows.map((one) => one.name);
  const hits = pick(
    [
      ...idHit(words, names),
      ...hitsOf(commands),
      ...hitsByValue(byValue, verb, off),
      ...treesOf(trees),
      ...(verb === null ? [] : onManyOf(verb, around.queues, off)),
      ...(verb !== null && audit ? [whoDid(verb)] : []),
      ...placesOf(names, around.queues, around.workflows),
      ...lately(around),
    ],
    asked,
  );
  const first = Math.max(
    0,
    hits.findIndex((hit) => !hit.off),
  );
  const now = Math.min(at ?? first, Math.max(0, hits.length - 1));
  useEffect(() => {
    // Not as the effect's value: browsers now return a promise from it, which is no way to clean up.
    chosen.current?.scrollIntoView({ block: "nearest" });
  }, [now]);

  const perform = (hit: Hit, beside = false) => {
    if (hit.off) return;
    onClose();
    if (hit.to === undefined) hit.run();
    else if (beside) open(new URL(hit.to, document.baseURI), "_blank", "noopener");
    else navigate(hit.to);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined && hits.length > 0) setAt((now + step + hits.length) % hits.length);
    else if (event.key === "Enter" && hits[now]) perform(hits[now], event.metaKey || event.ctrlKey);
    else return;
    event.preventDefault();
  };
  return (
    <Modal className="dialog palette" label={text.palette.title} onClose={onClose}>
      <div className="ask">
        <Icon name="search" />
        <input
          role="combobox"
          aria-label={text.palette.ask}
          aria-expanded="true"
          aria-controls={list}
          aria-activedescendant={hits.length > 0 ? `${list}-${now}` : undefined}
          aria-autocomplete="list"
          autoComplete="off"
          spellCheck={false}
          autoFocus
          placeholder={text.palette.ask}
          value={typed}
          onChange={({ target }) => {
            setTyped(target.value);
            setAt(null);
          }}
          onKeyDown={onKeyDown}
        />
        <kbd aria-hidden="true">{text.keys.escape}</kbd>
      </div>
      <Found id={list} page={page} hits={hits} words={words} at={now} chosen={chosen} onPerform={perform} />
      <PaletteFoot />
    </Modal>
  );
}

function idHit(words: readonly string[], flows: readonly string[]): Hit[] {
  const [id] = words;
  if (id === undefined || words.length > 1 || !isId(id)) return [];
  const run = () => void placeOf(id, flows).then(navigate, () => {});
  return [{ section: "places", title: text.palette.id, note: id, icon: "jobs", run }];
}

function lately({ actions }: Around): Hit[] {
  return actions.map((action) => ({
    section: "lately",
    icon: "back",
    title: text.palette.did(text.actionSentence(action)),
    right: text.palette.by(time(action.at), action.caller),
    to: withParams("audit", { open: action.request }),
  }));
}
