/** For pages that have no keys for their rows themselves: the focus goes from row to row, and Enter presses. */

const ROWS = "main :is(tbody > tr, li)";
const PRESSED = "a[href], button";

/** What can be pressed first in each row. */
function firsts(): HTMLElement[] {
  const rows = [...document.querySelectorAll(ROWS)];
  return rows.flatMap((row) => row.querySelector<HTMLElement>(PRESSED) ?? []);
}

export const hasRows = (): boolean => firsts().length > 0;

/** Focuses the row after, or before, the one that has the focus. */
export function focusRow(step: 1 | -1) {
  const all = firsts();
  const row = document.activeElement?.closest(ROWS);
  const at = all.findIndex((one) => row?.contains(one));
  all[at < 0 ? 0 : Math.min(all.length - 1, Math.max(0, at + step))]?.focus();
}
