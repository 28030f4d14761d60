/** The keys that work on every page, and what they open. */
import { useConnection } from "@typed-flows/react";
import { useEffect, useState } from "react";
import { useWhyNot } from "../me";
import { entries, type Page } from "../pages";
import { at, navigate, withParams } from "../route";
import { text } from "../text";
import { toggleTheme } from "../theme";
import { type Command, useCommands } from "./commands";
import { Help } from "./Help";
import { onKey } from "./listen";
import { type KeyName, table } from "./table";

const KEYS = Object.keys(table) as KeyName[];

export function FrameKeys({ page, flow }: { page: Page; flow: string | null }) {
  const [over, setOver] = useState<"help" | null>(null);
  const { paused, setPaused } = useConnection();
  const whyNot = useWhyNot();
  const close = () => setOver(null);
  useEffect(() => {
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);
  useCommands([
    ...entries.flatMap((entry): Command[] => {
      const key = KEYS.find((name) => table[name].keys === `g ${entry.key}`);
      return key ? [{ key, to: entry.name === "board" && flow ? at("flows", flow) : entry.to }] : [];
    }),
    { key: "find", run: () => document.getElementById("search")?.focus() },
    { key: "help", run: () => setOver("help") },
    { key: "newJob", off: whyNot("jobs.create"), run: () => navigate(withParams("new", { flow })) },
    { key: "hold", run: () => setPaused(!paused) },
    { key: "theme", run: toggleTheme },
  ]);
  return <>{over === "help" && <Help page={page.title || text.frame.board} onClose={close} />}</>;
}
