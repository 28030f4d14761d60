import * as text from "../text";
import type { Completion } from "./completion";

interface Props {
  id: string;
  open: boolean;
  found: readonly Completion[];
  /** The one that Enter takes. */
  at: number;
  onTake: (word: string) => void;
}

/** What the word may become. */
export function Offers({ id, open, found, at, onTake }: Props) {
  return (
    <div className="offers" id={id} role="listbox" aria-label={text.search.offers} hidden={!open || found.length === 0}>
      {found.map(({ word, note }, n) => (
        <div
          key={word}
          id={`${id}-${n}`}
          role="option"
          aria-selected={n === at}
          className={n === at ? "on" : ""}
          // Before the field loses the focus, which would close the list.
          onMouseDown={(event) => (event.preventDefault(), onTake(word))}
        >
          <bdi className="cut">{word}</bdi>
          <small>{note}</small>
        </div>
      ))}
    </div>
  );
}
