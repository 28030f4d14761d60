/** A press anywhere in a row opens what its link opens. */
import type { MouseEvent } from "react";
import { navigate } from "../route";

const CONTROLS = "a, button, input, label, select, textarea, summary";

/** For `onClick` of a row: nothing where a control was hit, where text was selected, or with Shift or Alt. */
export const openRow = (to: string) => (event: MouseEvent<HTMLElement>) => {
  if (event.defaultPrevented || event.shiftKey || event.altKey) return;
  if ((event.target as Element).closest(CONTROLS) || getSelection()?.toString()) return;
  if (event.metaKey || event.ctrlKey) open(new URL(to.replace(/^\//, ""), document.baseURI), "_blank");
  else navigate(to);
};
