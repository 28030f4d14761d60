import type { MouseEvent, ReactNode } from "react";
import { navigate } from "../route";

interface Props {
  /** Relative to the prefix: "jobs?q=state:failed". */
  to: string;
  className?: string | undefined;
  children: ReactNode;
  current?: boolean | undefined;
  label?: string | undefined;
  title?: string | undefined;
}

/** A link within the dashboard: it loads nothing anew, and opens a tab where the browser is told to. */
export function Link({ to, className, children, current, label, title }: Props) {
  const follow = (event: MouseEvent) => {
    if (
      event.defaultPrevented ||
      event.button !== 0 ||
      event.metaKey ||
      event.ctrlKey ||
      event.shiftKey ||
      event.altKey
    )
      return;
    event.preventDefault();
    navigate(to);
  };
  return (
    <a
      href={to === "" ? "./" : to.replace(/^\//, "")}
      className={className}
      onClick={follow}
      aria-current={current ? "page" : undefined}
      aria-label={label}
      title={title}
    >
      {children}
    </a>
  );
}
