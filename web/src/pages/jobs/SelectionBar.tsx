/** How many are selected, in words, with the way to all that match and back; and what can be done to them. */
import type { JobState } from "@typed-flows/react";
import { useWhyNot } from "../../me";
import { Button } from "../../parts/Button";
import * as text from "../../text";
import type { Verb } from "../../text/en/jobs";
import type { IconName } from "../../parts/Icon";
import type { Selection } from "./useSelection";

const said = text.jobs.selection;
const ICONS: Record<Verb, IconName> = { retry: "retry", move: "move", cancel: "x", delete: "bin" };
const ORDER: readonly Verb[] = ["retry", "move", "cancel", "delete"];

/** On jobs of which states each verb acts; the server has the last word. */
export const ACTS_ON: Readonly<Record<Verb, readonly JobState[]>> = {
  retry: ["failed", "cancelled"],
  cancel: ["waiting", "delayed", "processing", "children"],
  delete: ["waiting", "delayed", "processing", "children", "done", "failed", "cancelled"],
  move: ["waiting", "delayed", "failed", "cancelled"],
};

interface Props {
  selection: Selection;
  /** How many match; null where they are not counted. */
  total: number | null;
  exact: boolean;
  /** Whether there are more than are shown. */
  more: boolean;
  shown: number;
  /** Why all that match cannot be acted on at once. */
  allOff: string | null;
  /** Why nothing can be done at the moment. */
  old: string | null;
  onAct: (verb: Verb) => void;
}

export function SelectionBar({ selection, total, exact, more, shown, allOff, old, onAct }: Props) {
  const whyNot = useWhyNotTo(selection);
  const all = total === null ? said.allUncounted : said.all(total, exact);
  return (
    <div className="bulk" role="toolbar" aria-label={said.label}>
      <b>{selection.all ? all : said.some(selection.rows.length)}</b>
      {selection.all && <span className="sub">{said.rest}</span>}
      {selection.all ? (
        <button type="button" className="all" onClick={selection.selectShown}>
          {said.onlyThese(shown)}
        </button>
      ) : (
        more &&
        allOff === null && (
          <button type="button" className="all" onClick={selection.selectAll}>
            {said.takeAll(total, exact)}
          </button>
        )
      )}
      <span className="acts">
        {ORDER.map((verb, n) => (
          <Button
            key={verb}
            icon={ICONS[verb]}
            look={n === 0 ? "pri" : n > 1 ? "bad" : ""}
            off={old ?? whyNot(verb)}
            onPress={() => onAct(verb)}
          >
            {said.act(verb)}
          </Button>
        ))}
        <Button look="quiet" onPress={selection.clear}>
          {said.clear}
        </Button>
      </span>
    </div>
  );
}

/** Why a verb cannot be done to what is selected; null: it can. */
export function useWhyNotTo(selection: Selection): (verb: Verb) => string | null {
  const whyNot = useWhyNot();
  return (verb) => {
    const refused = whyNot(selection.all ? "bulk.apply" : `jobs.${verb}`);
    if (refused || selection.all) return refused;
    return selection.rows.some((row) => ACTS_ON[verb].includes(row.job.state)) ? null : said.noneFits(verb);
  };
}
