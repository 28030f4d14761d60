/**
 * For pages that have no keys for their rows themselves: the focus goes from row to row, Enter presses what has it, and
 * a key presses the button of the row that names it by `aria-keyshortcuts`.
 */

const ROWS = "main :is(tbody > tr, li, .q)";
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

const buttonOf = (key: string) => `main [aria-keyshortcuts="${key}"]`;

export const hasButton = (key: string): boolean => document.querySelector(buttonOf(key)) !== null;

/** Presses the button of the row that has the focus, or of what that stands in; false where no row has the focus. */
export function pressInRow(key: string): boolean {
  let row = document.activeElement?.closest(ROWS);
  while (row) {
    const button = row.querySelector<HTMLElement>(buttonOf(key));
    if (button) {
      button.click();
      return true;
    }
    row = row.parentElement?.closest(ROWS);
  }
  return false;
}
