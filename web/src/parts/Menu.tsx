import { useEffect, useRef, useState, type KeyboardEvent, type ReactNode } from "react";
import { Button, type Look } from "./Button";
import { Icon, type IconName } from "./Icon";

export interface MenuItem {
  text: string;
  icon?: IconName;
  /** Why it cannot be chosen now. */
  off?: string | null;
  /** Whether it takes something away. */
  bad?: boolean;
  current?: boolean;
  onChoose: () => void;
}

interface Props {
  label: string;
  items: readonly MenuItem[];
  icon?: IconName;
  look?: Look;
  className?: string;
  /** What the button shows; without it, its icon alone. */
  children?: ReactNode;
}

/** A button that opens a list of choices; arrows, Home, End, Escape and the first letter work in it. */
export function Menu({ label, items, icon, look = "quiet", className = "", children }: Props) {
  const [open, setOpen] = useState(false);
  const ref = useRef<HTMLDivElement>(null);
  const close = (focus = true) => {
    setOpen(false);
    if (focus) ref.current?.querySelector("button")?.focus();
  };
  useEffect(() => {
    if (!open) return;
    ref.current?.querySelector<HTMLElement>("[role=menuitem]")?.focus();
    const outside = (event: PointerEvent) => {
      if (!ref.current?.contains(event.target as Node)) setOpen(false);
    };
    addEventListener("pointerdown", outside);
    return () => removeEventListener("pointerdown", outside);
  }, [open]);
  const onKeyDown = (event: KeyboardEvent) => {
    const all = [...(ref.current?.querySelectorAll<HTMLElement>("[role=menuitem]") ?? [])];
    const at = all.indexOf(document.activeElement as HTMLElement);
    const go = (to: number) => {
      event.preventDefault();
      all[(to + all.length) % all.length]?.focus();
    };
    if (event.key === "ArrowDown") go(at + 1);
    else if (event.key === "ArrowUp") go(at - 1);
    else if (event.key === "Home") go(0);
    else if (event.key === "End") go(-1);
    else if (event.key === "Escape") {
      event.stopPropagation();
      close();
    } else if (event.key === "Tab") setOpen(false);
    else if (event.key.length === 1) {
      const next = [...all.slice(at + 1), ...all.slice(0, at + 1)].find((one) =>
        one.textContent?.trim().toLowerCase().startsWith(event.key.toLowerCase()),
      );
      next?.focus();
      event.stopPropagation();
    }
  };
  return (
    <div className={`menu-at ${className}`} ref={ref}>
      <Button
        look={look}
        icon={icon}
        label={label}
        popup="menu"
        expanded={open}
        onPress={() => setOpen((before) => !before)}
      >
        {children}
      </Button>
      {open && (
        <div className="menu" role="menu" aria-label={label} onKeyDown={onKeyDown}>
          {items.map((item) => (
            <button
              key={item.text}
              type="button"
              role="menuitem"
              tabIndex={-1}
              className={`${item.bad ? "bad" : ""} ${item.current ? "on" : ""}`}
              aria-disabled={item.off ? true : undefined}
              title={item.off ?? undefined}
              onClick={() => {
                if (item.off) return;
                close();
                item.onChoose();
              }}
            >
              {item.icon && <Icon name={item.icon} />}
              <span>{item.text}</span>
            </button>
          ))}
        </div>
      )}
    </div>
  );
}
