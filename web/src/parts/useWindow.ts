/** Of many rows of one height, those that are to be drawn in an element that scrolls. */
import { useEffect, useState, type RefObject } from "react";

const BEYOND = 20;
const FIRST = 60;

/** Returns which rows to draw; where `at` changes, that row is scrolled into sight. */
export function useWindow(ref: RefObject<HTMLElement | null>, rows: number, height: number, at: number) {
  const [range, setRange] = useState({ from: 0, to: Math.min(rows, FIRST) });
  useEffect(() => {
    const element = ref.current;
    if (!element || rows === 0) return;
    const look = () => {
      const first = Math.floor(element.scrollTop / height);
      const count = Math.ceil(element.clientHeight / height);
      const from = Math.max(0, first - BEYOND);
      const to = Math.min(rows, first + count + BEYOND);
      setRange((before) => (before.from === from && before.to === to ? before : { from, to }));
    };
    look();
    element.addEventListener("scroll", look, { passive: true });
    return () => element.removeEventListener("scroll", look);
  }, [ref, rows, height]);
  useEffect(() => {
    const element = ref.current;
    if (!element || rows === 0) return;
    const top = at * height;
    if (top < element.scrollTop || top + height > element.scrollTop + element.clientHeight)
      element.scrollTop = Math.max(0, top - element.clientHeight / 2);
  }, [ref, rows, height, at]);
  return range;
}
