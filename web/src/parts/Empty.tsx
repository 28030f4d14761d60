import type { ReactNode } from "react";
import { Command } from "./Command";

/** Says what would be here, and the command that brings it. */
export function Empty({
  head,
  children,
  command,
  acts,
}: {
  head: string;
  children?: ReactNode;
  command?: string;
  acts?: ReactNode;
}) {
  return (
    <div className="hello">
      <h2>{head}</h2>
      {children && <p className="sub">{children}</p>}
      {command && <Command line={command} />}
      {acts}
    </div>
  );
}
