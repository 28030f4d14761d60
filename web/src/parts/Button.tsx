import type { MouseEvent, ReactNode } from "react";
import { Link } from "./Link";
import { Icon, type IconName } from "./Icon";

export type Look = "pri" | "bad" | "quiet" | "small" | "quiet small" | "";

interface Props {
  icon?: IconName | undefined;
  look?: Look;
  children?: ReactNode;
  /** What it is called where it shows a drawing alone. */
  label?: string | undefined;
  /** Why it cannot be pressed now: it stays in its place, greyed, and says so. Null: it can. */
  off?: string | null | undefined;
  /** Whether what it asked for is under way. */
  busy?: boolean;
  onPress: (event: MouseEvent<HTMLButtonElement>) => void;
  /** For menus: what it opens is open. */
  expanded?: boolean | undefined;
  popup?: "menu" | "dialog" | "listbox" | undefined;
  /** The key that presses it where its row has the focus. */
  shortcut?: string | undefined;
}

/** What does something when it is pressed. */
export function Button({
  icon,
  look = "",
  children,
  label,
  off,
  busy = false,
  onPress,
  expanded,
  popup,
  shortcut,
}: Props) {
  const why = off ?? null;
  return (
    <button
      type="button"
      className={`btn ${look}`}
      aria-label={label}
      title={why ?? label}
      aria-disabled={why !== null || busy || undefined}
      aria-busy={busy || undefined}
      aria-expanded={expanded}
      aria-haspopup={popup}
      aria-keyshortcuts={shortcut}
      onClick={(event) => {
        if (why === null && !busy) onPress(event);
      }}
    >
      {icon && <Icon name={icon} />}
      {children}
    </button>
  );
}

/** What goes somewhere and looks like a button. */
export function LinkButton({
  to,
  icon,
  look = "",
  children,
  label,
}: {
  to: string;
  icon?: IconName;
  look?: Look;
  children?: ReactNode;
  label?: string;
}) {
  return (
    <Link to={to} className={`btn ${look}`} label={label}>
      {icon && <Icon name={icon} />}
      {children}
    </Link>
  );
}
