import { useLayoutEffect, useRef, type ReactNode } from "react";

interface Props {
  className: string;
  label?: string;
  labelledBy?: string;
  children: ReactNode;
  onClose: () => void;
}

/** What lies over the page until it is closed, also by Escape or a press beside it; the focus goes in and comes back. */
export function Modal({ className, label, labelledBy, children, onClose }: Props) {
  const ref = useRef<HTMLDialogElement>(null);
  // Before it is taken away: only a dialog that stands there gives the focus back.
  useLayoutEffect(() => {
    const dialog = ref.current!;
    if (!dialog.open) dialog.showModal();
    first(dialog)?.focus();
    return () => dialog.close();
  }, []);
  return (
    <dialog
      ref={ref}
      className={className}
      aria-label={label}
      aria-labelledby={labelledBy}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => {
        // The second press of a double click on what has opened it is none beside it.
        if (event.target === ref.current && event.detail < 2) onClose();
      }}
    >
      {children}
    </dialog>
  );
}

/** What somebody would go on with: a field to fill in, else the answer that is offered, else the mildest one. */
function first(dialog: HTMLDialogElement): HTMLElement | undefined {
  const choices = ["input, select, textarea", "footer .btn.pri", "footer .btn:not(.bad)", "footer .btn"];
  return choices.map((one) => dialog.querySelector<HTMLElement>(one)).find((one) => one !== null) ?? undefined;
}
