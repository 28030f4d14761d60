/** What stands around each page: rail, top bar, and the place of the page. */
import { useConnection, useTopic, type FlowRow } from "@typed-flows/react";
import { useEffect, useRef, type ReactNode } from "react";
import { FrameKeys } from "../keys/FrameKeys";
import { useKnown } from "../me";
import type { Page } from "../pages";
import * as text from "../text";
import { Rail } from "./Rail";
import { TopBar } from "./TopBar";
import { useFlow } from "./useFlow";

export function Frame({ page, children }: { page: Page; children: ReactNode }) {
  const { ask } = useKnown();
  const { status } = useConnection();
  const before = useRef(status);
  useEffect(() => {
    // Cut, and back: perhaps for another role, or since a token is over. Who is it now?
    if (status === "ended" || (status === "open" && before.current === "offline")) ask();
    before.current = status;
  }, [status, ask]);
  const { state } = useTopic<{ items: FlowRow[] }>("flows");
  const flows = state?.items ?? [];
  const flow = useFlow(flows.map((one) => one.name));
  return (
    <div className="app">
      <a
        className="skip"
        href="#main"
        onClick={(event) => (event.preventDefault(), document.getElementById("main")?.focus())}
      >
        {text.frame.skip}
      </a>
      {/* Before the page, whose keys are told after these, and so count where both have one. */}
      <FrameKeys page={page} flows={flows} flow={flow} />
      <Rail under={page.under} flows={flows} flow={flow} />
      <div>
        <TopBar flows={flows} flow={flow} />
        <main id="main" tabIndex={-1}>
          {children}
        </main>
      </div>
    </div>
  );
}
