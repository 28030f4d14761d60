/** Who looks at the page, and what they may do. */
import { createContext, useCallback, useContext, useEffect, useMemo, useState, type ReactNode } from "react";
import { fetchFrom, Problem, type OperationName } from "./ask";
import * as text from "./text";

export interface Me {
  name: string;
  role: "viewer" | "operator";
  flows: string[] | null;
  hide: string[];
  operations: string[];
  /** Whether there is a form to log in by, and so a way out. */
  login: boolean;
  version: string;
}

/** How it stands with who looks: not told yet, nobody (a form asks), unknown since the server is away, or somebody. */
export type Known = {
  me: Me | null;
  status: "asking" | "nobody" | "away" | "known";
  /** Whether somebody was known, and is no more. */
  ended: boolean;
  ask: () => void;
};

const Context = createContext<Known>({ me: null, status: "asking", ended: false, ask: () => {} });
const UNKNOWN = { me: null, status: "asking", ended: false } as const;
const CHECKED_EVERY = 60_000;

const gone = (before: Omit<Known, "ask">): Omit<Known, "ask"> => ({
  me: null,
  status: "nobody",
  ended: before.ended || before.me !== null,
});

export function MeProvider({ children }: { children: ReactNode }) {
  const [known, setKnown] = useState<Omit<Known, "ask">>(UNKNOWN);
  const [asked, setAsked] = useState(0);
  useEffect(() => {
    let over = false;
    let again: ReturnType<typeof setTimeout>;
    const look = async () => {
      try {
        const me = (await (await fetchFrom("api/v1/me")).json()) as Me;
        if (!over)
          setKnown((before) =>
            JSON.stringify(before.me) === JSON.stringify(me) ? before : { me, status: "known", ended: false },
          );
        if (!over) again = setTimeout(look, CHECKED_EVERY);
      } catch (error) {
        if (over) return;
        const nobody = error instanceof Problem && error.status === 401;
        if (nobody) setKnown(gone);
        else setKnown((before) => (before.me ? before : { me: null, status: "away", ended: false }));
        if (!nobody) again = setTimeout(look, 2_000);
      }
    };
    void look();
    const lost = () => setKnown(gone);
    addEventListener("flows:unauthenticated", lost);
    return () => {
      over = true;
      clearTimeout(again);
      removeEventListener("flows:unauthenticated", lost);
    };
  }, [asked]);
  const ask = useCallback(() => setAsked((n) => n + 1), []);
  const value = useMemo(() => ({ ...known, ask }), [known, ask]);
  return <Context value={value}>{children}</Context>;
}

export const useKnown = () => useContext(Context);

/** Who looks; only inside of the frame, where it is known. */
export function useMe(): Me {
  const { me } = useContext(Context);
  if (!me) throw new Error("useMe: nobody is known here");
  return me;
}

/** Why an operation may not be asked for, as a sentence for a button that is off; null where it may. */
export function useWhyNot(): (operation: OperationName) => string | null {
  const me = useMe();
  return (operation) => (me.operations.includes(operation) ? null : text.frame.notAllowed(me.name, me.role));
}
