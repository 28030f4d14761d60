/** The words by which trees are found, and a chip for each state. */
import { useEffect, useState } from "react";
import { Icon } from "../../parts/Icon";
import { Mark } from "../../parts/State";
import { setParams } from "../../route";
import * as text from "../../text";
import { STATUSES, type Chip, type Query } from "./query";
import { shapeOf } from "./stand";

/** The style of the chip that is on. */
const looks: Record<Chip, string> = {
  all: "all",
  idle: "cancelled",
  working: "processing",
  done: "done",
  failed: "failed",
  cancelled: "cancelled",
};

export function Filter({ q, query, chip }: { q: string; query: Query; chip: Chip }) {
  const words = text.trees;
  const [typed, setTyped] = useState(q);
  useEffect(() => setTyped(q), [q]);
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
          spellCheck={false}
          value={typed}
          onChange={(event) => {
            setTyped(event.target.value);
            if (event.target.value === "") setParams({ q: null });
          }}
        />
      </form>
      {query.wrong.length > 0 && (
        <p className="fault" role="alert">
          <Icon name="warning" />
          <bdi>{words.wrong(query.wrong)}</bdi>
        </p>
      )}
      <div className="filters" role="group" aria-label={words.statesLabel}>
        {(["all", ...STATUSES] as const).map((one) => (
          <button
            key={one}
            type="button"
            className={`filter ${one === chip ? `on ${looks[one]}` : ""}`}
            aria-pressed={one === chip}
            onClick={() => setParams({ state: one === "all" ? null : one })}
          >
            {one !== "all" && <Mark shape={shapeOf[one]} />}
            {one === "all" ? words.all : words.statuses[one]}
          </button>
        ))}
      </div>
    </>
  );
}
