/** The one table of keys: what is bound, shown beside buttons and listed in the help is read from here. */
import type { IconName } from "../parts/Icon";
import * as text from "../text";

export type Group = "go" | "rows" | "anywhere" | "act" | "view";

export interface Key {
  /** One key, a capital letter with ⇧; or two, one after the other. Deleting has none on purpose. */
  keys: string;
  group: Group;
  title: string;
  icon?: IconName;
}

const { titles } = text.keys;

export const table = {
  goBoard: { keys: "g b", group: "go", title: text.frame.board, icon: "board" },
  goJobs: { keys: "g j", group: "go", title: text.frame.jobs, icon: "jobs" },
  goRuns: { keys: "g r", group: "go", title: text.frame.runs, icon: "runs" },
  goTrees: { keys: "g t", group: "go", title: text.frame.trees, icon: "trees" },
  goSchedules: { keys: "g s", group: "go", title: text.frame.schedules, icon: "schedules" },
  goWorkers: { keys: "g w", group: "go", title: text.frame.workers, icon: "workers" },
  goLimits: { keys: "g l", group: "go", title: text.frame.limits, icon: "limits" },
  goAudit: { keys: "g a", group: "go", title: text.frame.audit, icon: "audit" },
  goServer: { keys: "g d", group: "go", title: text.frame.server, icon: "server" },
  next: { keys: "j", group: "rows", title: titles.next },
  previous: { keys: "k", group: "rows", title: titles.previous },
  open: { keys: "Enter", group: "rows", title: titles.open },
  openBeside: { keys: "o", group: "rows", title: titles.openBeside },
  select: { keys: "x", group: "rows", title: titles.select },
  selectTo: { keys: "X", group: "rows", title: titles.selectTo },
  selectShown: { keys: "a", group: "rows", title: titles.selectShown },
  selectAll: { keys: "A", group: "rows", title: titles.selectAll },
  clear: { keys: "Escape", group: "rows", title: titles.clear },
  find: { keys: "/", group: "anywhere", title: titles.find, icon: "search" },
  palette: { keys: "Mod+k", group: "anywhere", title: titles.palette },
  help: { keys: "?", group: "anywhere", title: titles.help, icon: "key" },
  retry: { keys: "r", group: "act", title: titles.retry, icon: "retry" },
  cancel: { keys: "c", group: "act", title: titles.cancel, icon: "x" },
  pause: { keys: "p", group: "act", title: titles.pause, icon: "pause" },
  move: { keys: "m", group: "act", title: titles.move, icon: "move" },
  undo: { keys: "u", group: "act", title: titles.undo },
  newJob: { keys: "n", group: "act", title: text.frame.newJob, icon: "plus" },
  hold: { keys: ".", group: "view", title: titles.hold, icon: "pause" },
  shorter: { keys: "[", group: "view", title: titles.shorter },
  longer: { keys: "]", group: "view", title: titles.longer },
  copyLink: { keys: "y", group: "view", title: titles.copyLink, icon: "link" },
  theme: { keys: "D", group: "view", title: titles.theme, icon: "moon" },
} satisfies Record<string, Key>;

export type KeyName = keyof typeof table;

/** The caps to draw of a key: "⇧" "x". */
export function capsOf(key: string): string[] {
  if (key.startsWith("Mod+")) return [isMac ? "⌘" : "Ctrl", key.slice(4).toUpperCase()];
  if (/^[A-Z]$/.test(key)) return ["⇧", key.toLowerCase()];
  return [{ Enter: "↵", Escape: "esc" }[key] ?? key];
}

export const isMac = /Mac|iPhone|iPad/.test(globalThis.navigator?.platform ?? "");
