import { useEffect, useId, useRef, type ReactNode } from "react";
import { text } from "../text";
import { Button } from "./Button";

interface Props {
  title: string;
  children: ReactNode;
  acts?: ReactNode;
  wide?: boolean;
  onClose: () => void;
}

/** Over the page, until it is answered or closed by Escape; the focus goes in and comes back. */
export function Dialog({ title, children, acts, wide = false, onClose }: Props) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const dialog = ref.current!;
    if (!dialog.open) dialog.showModal();
    return () => dialog.close();
  }, []);
  return (
    <dialog
      ref={ref}
      className={`dialog ${wide ? "wide" : ""}`}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => {
        if (event.target === ref.current) onClose();
      }}
    >
      <div className="dialog-in">
        <header>
          <h2 id={id}>{title}</h2>
          <Button look="quiet" icon="x" label={text.parts.close} onPress={onClose} />
        </header>
        <div className="dialog-body">{children}</div>
        {acts && <footer>{acts}</footer>}
      </div>
    </dialog>
  );
}
