/** The keys that work on every page, and what they open. */
import { type FlowRow, type Live, useConnection } from "@typed-flows/react";
import { lazy, Suspense, useEffect, useState } from "react";
import { useWhyNot } from "../me";
import { entries, type Page } from "../pages";
import { copy } from "../parts/copy";
import { Modal } from "../parts/Modal";
import { useToast } from "../parts/Toast";
import { at, navigate, withParams } from "../route";
import * as text from "../text";
import { toggleTheme } from "../theme";
import { type Command, useCommands } from "./commands";
import { onKey } from "./listen";
import { focusRow, hasButton, hasRows, pressInRow } from "./rows";
import { table } from "./table";

const loadPalette = () => import("../palette/Palette");
const Help = lazy(() => import("./Help"));
const Palette = lazy(loadPalette);
/** The palette is loaded when the page has had its time: who opens it goes on typing at once. */
const LOADED_AFTER = 1500;

interface Props {
  page: Page;
  flows: readonly Live<FlowRow>[];
  flow: string | null;
}

export function FrameKeys({ page, flows, flow }: Props) {
  const [over, setOver] = useState<"help" | "palette" | null>(null);
  const { paused, setPaused } = useConnection();
  const whyNot = useWhyNot();
  const tell = useToast();
  const close = () => setOver(null);
  useEffect(() => {
    addEventListener("keydown", onKey);
    const timer = setTimeout(() => void loadPalette().catch(() => {}), LOADED_AFTER);
    return () => {
      clearTimeout(timer);
      removeEventListener("keydown", onKey);
    };
  }, []);
  useCommands([
    ...entries.map(({ key, name, to }) => ({ key, to: name === "board" && flow ? at("flows", flow) : to })),
    { key: "next", there: hasRows, run: () => focusRow(1) },
    { key: "previous", there: hasRows, run: () => focusRow(-1) },
    ...(["retry", "cancel", "pause"] as const).map((key): Command => {
      const { keys } = table[key];
      const run = () => pressInRow(keys) || tell(text.keys.chooseRow);
      return { key, there: () => hasButton(keys), run: () => void run() };
    }),
    { key: "find", run: () => document.getElementById("search")?.focus() },
    { key: "palette", run: () => setOver((before) => (before === "palette" ? null : "palette")) },
    { key: "help", run: () => setOver("help") },
    { key: "newJob", off: whyNot("jobs.create"), run: () => navigate(withParams("new", { flow })) },
    { key: "hold", run: () => setPaused(!paused) },
    { key: "theme", run: toggleTheme },
    {
      key: "copyLink",
      run: () => void copy(location.href).then((done) => tell(done ? text.parts.copied : text.parts.notCopied)),
    },
  ]);
  const title = page.title || text.frame.board;
  return (
    // Until it is loaded, an empty one takes the keys: none of them is to act on the page.
    <Suspense fallback={<Modal className="dialog" label={text.parts.loading} onClose={close} children={null} />}>
      {over === "help" && <Help page={title} onClose={close} />}
      {over === "palette" && <Palette page={title} flows={flows} flow={flow} onClose={close} />}
    </Suspense>
  );
}
