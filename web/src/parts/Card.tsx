import type { ReactNode } from "react";

interface Props {
  title?: ReactNode;
  /** At the right of the title. */
  more?: ReactNode;
  className?: string;
  /** What it is called by a screen reader where it has no title. */
  label?: string;
  children?: ReactNode;
}

/** A section with a frame. */
export function Card({ title, more, className = "", label, children }: Props) {
  return (
    <section className={`card ${className}`} aria-label={label}>
      {title !== undefined && (
        <header>
          <h2>{title}</h2>
          {more !== undefined && <span className="more">{more}</span>}
        </header>
      )}
      {children}
    </section>
  );
}
