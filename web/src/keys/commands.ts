/** What can be done here, as the frame and the page of now have told: the keys, the help and the palette read it. */
import { useEffect, useId, useSyncExternalStore } from "react";
import type { IconName } from "../parts/Icon";
import { type Key, type KeyName, table } from "./table";

interface Told {
  /** Its key in the table; without one it is in the palette alone. */
  key?: KeyName;
  /** What the table says, where it is left out. */
  title?: string;
  icon?: IconName;
  /** Why it cannot be done now. */
  off?: string | null | undefined;
  /** Whether the page of now has something for it, where that changes without another telling. */
  there?: () => boolean;
}

/** Something to do, or an address to go to. */
export type Command = Told &
  ({ key: KeyName } | { title: string }) &
  ({ run: () => void; to?: never } | { to: string; run?: never });

const told = new Map<string, readonly Command[]>();
const listeners = new Set<() => void>();
let all: readonly Command[] = [];

function tell(id: string, commands: readonly Command[] | null) {
  if (commands === null) told.delete(id);
  else told.set(id, commands);
  const latest = new Map<KeyName | Command, Command>();
  for (const command of [...told.values()].flat()) latest.set(command.key ?? command, command);
  all = [...latest.values()];
  for (const listener of [...listeners]) listener();
}

/** All that can be done now; of two with the same key, the one told later: a page's, where the frame has one too. */
export const commands = () => all;

/** Tells what can be done while the component is there; it may be another array at each render. */
export function useCommands(here: readonly Command[]) {
  const id = useId();
  useEffect(() => tell(id, here));
  useEffect(() => () => tell(id, null), [id]);
}

/** For what shows them. What calls `useCommands` itself may not call it, or it would draw for ever. */
export function useAllCommands(): readonly Command[] {
  return useSyncExternalStore(subscribe, commands);
}

function subscribe(listener: () => void) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export const keyOf = (command: Command): Key | undefined => command.key && table[command.key];
export const titleOf = (command: Command): string => command.title ?? keyOf(command)?.title ?? "";
export const iconOf = (command: Command): IconName | undefined => command.icon ?? keyOf(command)?.icon;
