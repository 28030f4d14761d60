import * as text from "../text";
import { partsOf } from "./words";

/** A word of the query; pressed, it can be changed. */
export function Token({ word, onChange }: { word: string; onChange: () => void }) {
  const name = partsOf(word)?.name;
  return (
    <button type="button" className="tok" aria-label={text.search.edit(word)} title={word} onClick={onChange}>
      {name !== undefined && <b>{name}</b>}
      <bdi>{name === undefined ? word : word.slice(name.length)}</bdi>
    </button>
  );
}
