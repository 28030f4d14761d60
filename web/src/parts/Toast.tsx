import { createContext, useCallback, useContext, useMemo, useRef, useState, type ReactNode } from "react";
import * as text from "../text";
import { Button } from "./Button";

interface Toast {
  id: number;
  says: ReactNode;
  /** How long it stays, ms; what can be undone shows it as a ring. */
  lasts: number;
  undo?: () => void;
}

type Tell = (says: ReactNode, options?: { lasts?: number; undo?: () => void }) => () => void;
const Context = createContext<Tell>(() => () => {});
const LASTS = 4_000;

/** Tells something at the edge of the page for some seconds; returns what takes it away. */
export const useToast = () => useContext(Context);

export function ToastProvider({ children }: { children: ReactNode }) {
  const [toasts, setToasts] = useState<Toast[]>([]);
  const next = useRef(0);
  const drop = useCallback((id: number) => setToasts((all) => all.filter((one) => one.id !== id)), []);
  const tell = useCallback<Tell>(
    (says, { lasts = LASTS, undo } = {}) => {
      const id = next.current++;
      setToasts((all) => [...all.slice(-3), undo ? { id, says, lasts, undo } : { id, says, lasts }]);
      const timer = setTimeout(() => drop(id), lasts);
      return () => {
        clearTimeout(timer);
        drop(id);
      };
    },
    [drop],
  );
  return (
    <Context.Provider value={tell}>
      {useMemo(() => children, [children])}
      <div className="toasts" role="status" aria-live="polite">
        {toasts.map((toast) => (
          <div className="toast" key={toast.id}>
            {toast.undo && <Ring lasts={toast.lasts} />}
            <span>{toast.says}</span>
            {toast.undo && (
              <Button
                onPress={() => {
                  toast.undo?.();
                  drop(toast.id);
                }}
              >
                {text.parts.undo}
              </Button>
            )}
          </div>
        ))}
      </div>
    </Context.Provider>
  );
}

function Ring({ lasts }: { lasts: number }) {
  return (
    <svg
      className="ring processing"
      viewBox="0 0 22 22"
      aria-hidden="true"
      fill="none"
      stroke="currentColor"
      strokeWidth="2.4"
    >
      <circle cx="11" cy="11" r="9" opacity=".25" />
      <circle className="runs-out" cx="11" cy="11" r="9" pathLength={100} style={{ animationDuration: `${lasts}ms` }} />
    </svg>
  );
}
