import { useEffect, type ReactNode } from "react";
import * as text from "../text";

/** The heading of a page, which also names the browser's tab. `hidden`: for screen readers alone. */
export function Title({
  title,
  sub,
  acts,
  hidden = false,
}: {
  title: string;
  sub?: ReactNode;
  acts?: ReactNode;
  hidden?: boolean;
}) {
  useTabTitle(title);
  if (hidden) return <h1 className="sr">{title}</h1>;
  return (
    <div className="title">
      <h1>{title}</h1>
      {sub && <span className="sub">{sub}</span>}
      {acts && <span className="acts">{acts}</span>}
    </div>
  );
}

/** Names the browser's tab. */
export function useTabTitle(title: string) {
  useEffect(() => {
    document.title = text.frame.tab(title);
  }, [title]);
}
