import { useId, type ReactNode } from "react";
import * as text from "../text";
import { Button } from "./Button";
import { Modal } from "./Modal";

interface Props {
  title: string;
  /** What stands small beside the title. */
  sub?: string;
  children: ReactNode;
  acts?: ReactNode;
  wide?: boolean;
  onClose: () => void;
}

/** Over the page, until it is answered or closed. */
export function Dialog({ title, sub, children, acts, wide = false, onClose }: Props) {
  const id = useId();
  return (
    <Modal className={`dialog ${wide ? "wide" : ""}`} labelledBy={id} onClose={onClose}>
      <div className="dialog-in">
        <header>
          <h2 id={id}>{title}</h2>
          {sub && <span className="dim">{sub}</span>}
          <Button look="quiet" icon="x" label={text.parts.close} onPress={onClose} />
        </header>
        <div className="dialog-body">{children}</div>
        {acts && <footer>{acts}</footer>}
      </div>
    </Modal>
  );
}
