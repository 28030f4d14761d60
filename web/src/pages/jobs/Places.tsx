/** A list of any length with places: jump to one, or drag; only a window of it is read. */
import { useEffect, useId, useState } from "react";
import { count } from "../../format";
import { Button } from "../../parts/Button";
import { setParams } from "../../route";
import * as text from "../../text";
import { WINDOW } from "./useList";

const said = text.jobs.places;
/** While somebody drags, a window is read after so many ms. */
const PAUSE = 120;

/** The last place at which a window begins. */
const lastOf = (total: number) => Math.max(0, total - WINDOW);

/** Goes to a place, from 0 on. */
export const goTo = (place: number, total: number) => {
  const at = Math.max(0, Math.min(place, lastOf(total)));
  setParams({ at: at ? String(at) : null, cursor: null });
};

export function Jump({ at, total }: { at: number; total: number }) {
  const id = useId();
  const [value, setValue] = useState<string | null>(null);
  const go = () => {
    const place = parseInt((value ?? "").replace(/\D/g, ""), 10);
    if (place > 0) goTo(place - 1, total);
    setValue(null);
  };
  return (
    <form
      className="jump"
      onSubmit={(event) => {
        event.preventDefault();
        go();
      }}
    >
      <label htmlFor={id}>{said.jump}</label>
      <input
        id={id}
        className="inp"
        inputMode="numeric"
        autoComplete="off"
        value={value ?? count(at + 1)}
        onChange={(event) => setValue(event.target.value)}
        onFocus={(event) => event.target.select()}
        onBlur={() => setValue(null)}
      />
      <Button look="small" icon="up" off={at === 0 ? said.first : null} onPress={() => goTo(0, total)}>
        {said.first}
      </Button>
      <Button look="small" icon="down" onPress={() => goTo(total, total)}>
        {said.last}
      </Button>
    </form>
  );
}

/** The bar beside the rows: where the window is in the whole; it says where while it is dragged. */
export function Slider({ at, total }: { at: number; total: number }) {
  const [dragged, setDragged] = useState<number | null>(null);
  useEffect(() => {
    if (dragged === null) return;
    const timer = setTimeout(() => goTo(dragged, total), PAUSE);
    return () => clearTimeout(timer);
  }, [dragged, total]);
  useEffect(() => setDragged(null), [at]);
  const place = dragged ?? at;
  const part = lastOf(total) ? place / lastOf(total) : 0;
  return (
    <div className="rail-s">
      <input
        type="range"
        aria-label={said.slider}
        aria-valuetext={said.where(place + 1, total)}
        min={0}
        max={lastOf(total)}
        step={1}
        value={place}
        onChange={(event) => setDragged(Number(event.target.value))}
      />
      <i aria-hidden="true" style={{ top: `calc(${part} * (100% - 22px))` }} />
      {dragged !== null && (
        <span className="where" aria-hidden="true" style={{ top: `calc(${part} * (100% - 30px))` }}>
          {said.where(place + 1, total)}
        </span>
      )}
    </div>
  );
}
