import type { ReactNode } from "react";
import { Icon, type IconName } from "./Icon";

interface Props {
  head: ReactNode;
  children?: ReactNode;
  acts?: ReactNode;
  look?: "warn" | "bad" | "plain";
  icon?: IconName;
}

/** Says what is wrong, or what happens, with the action that mends it. */
export function Sentence({ head, children, acts, look = "warn", icon = "warning" }: Props) {
  return (
    <div className={`say ${look}`} role="status">
      <Icon name={icon} />
      <div>
        <p>
          <b>{head}</b> {children}
        </p>
      </div>
      {acts && <span className="acts">{acts}</span>}
    </div>
  );
}
