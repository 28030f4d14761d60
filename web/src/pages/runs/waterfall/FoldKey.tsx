/** What a fold of the time axis means, and how much it has left out; nothing where nothing is folded. */
import { duration } from "../../../format";
import * as text from "../../../text";
import type { Folding } from "./folding";

export function FoldKey({ folding: { folds } }: { folding: Folding }) {
  if (folds.length === 0) return null;
  const { leftOut, leftOutMore } = text.run.steps;
  return (
    <span className="wf">
      <span className="tr">
        <i className="fold" />
      </span>
      {folds.length <= 5
        ? leftOut(folds.map((one) => duration(one.ms)))
        : leftOutMore(folds.length, duration(folds.reduce((all, one) => all + one.ms, 0)))}
    </span>
  );
}
