/** The params that are written, as one JSON value, and what is wrong with them by now. */
import { useMemo, useState } from "react";
import { faultsOf, type Fault } from "./checks";
import { keyOf, valueAt, within, withValue } from "./places";
import type { Field, Json, Place } from "./schema";

export type Params = { [name: string]: Json };

export interface Form {
  value: Params;
  /** All that is wrong. */
  faults: readonly Fault[];
  /** What is told: of fields that were looked at, or of all once it was tried. */
  told: readonly Fault[];
  at: (place: Place) => Json | undefined;
  faultAt: (place: Place) => Fault | undefined;
  set: (place: Place, value: Json | undefined) => void;
  setAll: (value: Params) => void;
  /** Somebody has left the field: what is wrong with it is told from now on. */
  touch: (place: Place) => void;
  /** Why what is written as JSON cannot be read; null: it is what the form has. It is told at once. */
  setUnread: (why: string | null) => void;
  /** Tells all that is wrong, and what the server has refused as well. */
  tell: (refused?: readonly Fault[]) => void;
}

export function useForm(fields: readonly Field[] | null, start: Params): Form {
  const [value, setValue] = useState<Params>(start);
  const [touched, setTouched] = useState<readonly Place[]>([]);
  const [tried, setTried] = useState(false);
  const [refused, setRefused] = useState<readonly Fault[]>([]);
  const [unread, setUnread] = useState<string | null>(null);
  const own = useMemo(() => (fields ? faultsOf(fields, value) : []), [fields, value]);
  const faults = useMemo(() => {
    const known = new Set(own.map((fault) => keyOf(fault.place)));
    const whole = unread === null ? [] : [{ place: [], message: unread }];
    return [...whole, ...own, ...refused.filter((fault) => !known.has(keyOf(fault.place)))];
  }, [own, refused, unread]);
  const isWhole = (fault: Fault) => fault.place.length === 0;
  const told = tried
    ? faults
    : faults.filter((fault) => isWhole(fault) || touched.some((place) => within(fault.place, place)));
  const byPlace = new Map(told.map((fault) => [keyOf(fault.place), fault]));
  return {
    value,
    faults,
    told,
    at: (place) => valueAt(value, place),
    faultAt: (place) => byPlace.get(keyOf(place)),
    set: (place, next) => {
      setRefused((all) => all.filter((fault) => !within(fault.place, place)));
      setValue((before) => withValue(before, place, next) as Params);
    },
    setAll: (next) => {
      setRefused([]);
      setValue(next);
    },
    setUnread,
    touch: (place) => setTouched((all) => (all.some((one) => keyOf(one) === keyOf(place)) ? all : [...all, place])),
    tell: (more = []) => {
      setTried(true);
      setRefused(more);
    },
  };
}

/** Puts the focus on the field of a place, or on the nearest one around it. */
export function focusOn(place: Place) {
  for (let n = place.length; n >= 0; n--) {
    const found = document.querySelector<HTMLElement>(`[data-place="${CSS.escape(keyOf(place.slice(0, n)))}"]`);
    if (!found) continue;
    found.focus();
    found.scrollIntoView({ block: "center" });
    return;
  }
}
