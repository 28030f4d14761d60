/** The words by which runs are found, and a chip for each state. */
import type { Live, WorkflowView } from "@typed-flows/react";
import { useEffect, useId, useState } from "react";
import { compact } from "../../format";
import { Icon } from "../../parts/Icon";
import { Mark } from "../../parts/State";
import type { Shape } from "../../parts/shapes";
import { setParams } from "../../route";
import * as text from "../../text";
import { chips, type Chip, type Query } from "./query";

const shapes: Record<Exclude<Chip, "all">, Shape> = {
  waiting: "waiting",
  running: "processing",
  suspended: "sleeping",
  done: "done",
  failed: "failed",
  cancelled: "cancelled",
};

interface Props {
  q: string;
  query: Query;
  chip: Chip;
  workflows: readonly Live<WorkflowView>[] | null;
}

export function Filter({ q, query, chip, workflows }: Props) {
  const words = text.runs;
  const [typed, setTyped] = useState(q);
  const id = useId();
  useEffect(() => setTyped(q), [q]);
  const names = workflows?.map((one) => one.workflow) ?? [];
  return (
    <>
      <form
        className="runfind"
        role="search"
        onSubmit={(event) => {
          event.preventDefault();
          setParams({ q: typed.trim() }, { replace: false });
        }}
      >
        <Icon name="search" />
        <input
          type="search"
          aria-label={words.find}
          placeholder={words.findHint}
          list={id}
          spellCheck={false}
          value={typed}
          onChange={(event) => {
            setTyped(event.target.value);
            if (event.target.value === "" || names.some((name) => event.target.value === `workflow:${name}`))
              setParams({ q: event.target.value });
          }}
        />
        <datalist id={id}>
          {names.map((name) => (
            <option key={name} value={`workflow:${name}`} />
          ))}
        </datalist>
      </form>
      {query.wrong.length > 0 && (
        <p className="fault" role="alert">
          <Icon name="warning" />
          <bdi>{words.wrong(query.wrong)}</bdi>
        </p>
      )}
      <div className="filters" role="group" aria-label={words.statesLabel}>
        {(Object.keys(chips) as Chip[]).map((one) => {
          const n = countOf(one, query, workflows);
          return (
            <button
              key={one}
              type="button"
              className={`filter ${one === chip ? `on ${one}` : ""}`}
              aria-pressed={one === chip}
              onClick={() => setParams({ state: one === "all" ? null : one })}
            >
              {one !== "all" && <Mark shape={shapes[one]} />}
              {words.chips[one]}
              {n !== null && <b>{compact(n)}</b>}
            </button>
          );
        })}
      </div>
    </>
  );
}

/** How many runs are in a state now; null where it is not known without looking at each. */
function countOf(chip: Chip, query: Query, workflows: readonly Live<WorkflowView>[] | null): number | null {
  if (workflows === null || query.tag !== null || Object.keys(query.lookup).length) return null;
  const of = workflows.filter((one) => query.workflow === null || one.workflow === query.workflow);
  const sum = (name: "waiting" | "processing" | "delayed" | "failed" | "cancelled") =>
    of.reduce((all, one) => all + one[name], 0);
  switch (chip) {
    case "waiting":
    case "failed":
    case "cancelled":
      return sum(chip);
    case "running":
      return sum("processing");
    case "suspended":
      return sum("delayed");
    default:
      return null;
  }
}
