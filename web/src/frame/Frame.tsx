/** What stands around each page: rail, top bar, and the place of the page. */
import { useConnection, useTopic, type FlowRow } from "@typed-flows/react";
import { useEffect, type ReactNode } from "react";
import { FrameKeys } from "../keys/FrameKeys";
import { useKnown } from "../me";
import type { Page } from "../pages";
import { text } from "../text";
import { Rail } from "./Rail";
import { TopBar } from "./TopBar";
import { useFlow } from "./useFlow";

export function Frame({ page, children }: { page: Page; children: ReactNode }) {
  const { ask } = useKnown();
  const { status } = useConnection();
  useEffect(() => {
    if (status === "ended") ask(); // another role, or a token that is over: who is it now?
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
      <Rail under={page.under} flows={flows} flow={flow} />
      <div>
        <TopBar flows={flows} flow={flow} />
        <main id="main" tabIndex={-1}>
          {children}
        </main>
      </div>
      <FrameKeys page={page} flows={flows} flow={flow} />
    </div>
  );
}
