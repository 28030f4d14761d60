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
        if (event.target === ref.current) onClose();
      }}
    >
      {children}
    </dialog>
  );
}
