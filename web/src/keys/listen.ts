/** Turns keys into commands. */
import { navigate } from "../route";
import { type Command, commands, keyOf } from "./commands";
import { isMac, type KeyName } from "./table";

const STORED = "flows.keys";
/** The second of two keys counts within so many ms. */
const WITHIN = 1500;

/** Whether single keys do something: speech input types what it hears, and some hands rest on keys. */
export function singleKeys(): boolean {
  try {
    return localStorage.getItem(STORED) !== "off";
  } catch {
    return true; // a browser that keeps nothing
  }
}

export function setSingleKeys(on: boolean) {
  try {
    localStorage.setItem(STORED, on ? "on" : "off");
  } catch {
    // they stay on
  }
}

/** Does a command, unless it says why it cannot be done. */
export function perform(command: Command) {
  if (command.off) return;
  if (command.to !== undefined) navigate(command.to);
  else command.run();
}

/** Does what a key does here: for a button that stands for it. */
export function press(key: KeyName) {
  const command = commands().find((one) => one.key === key);
  if (command) perform(command);
}

let first = "";
let firstAt = 0;

export function onKey(event: KeyboardEvent) {
  const mod = isMac ? event.metaKey : event.ctrlKey;
  if (event.defaultPrevented || event.isComposing || event.altKey || (isMac ? event.ctrlKey : event.metaKey)) return;
  const key = mod ? `Mod+${letterOf(event).toLowerCase()}` : letterOf(event);
  if (!mod && (!singleKeys() || isTaken(event))) return;
  const twice = event.timeStamp - firstAt < WITHIN ? `${first} ${key}` : "";
  const command = find(twice) ?? find(key);
  const begins = !command && commands().some((one) => keyOf(one)?.keys.startsWith(`${key} `));
  first = begins ? key : "";
  firstAt = event.timeStamp;
  if (!command) return;
  event.preventDefault();
  if (!event.repeat || keyOf(command)?.group === "rows") perform(command);
}

function find(keys: string): Command | undefined {
  return commands().find((one) => keyOf(one)?.keys === keys);
}

/** The letter on the key, also where the keyboard writes another alphabet. */
function letterOf({ key, code }: KeyboardEvent): string {
  return key.length > 1 || key.charCodeAt(0) < 128 || !code.startsWith("Key") ? key : code.slice(3).toLowerCase();
}

/** Whether the key is for what has the focus: a field, or a dialog; or a link or button that Enter presses. */
function isTaken({ target, key }: KeyboardEvent): boolean {
  if (document.querySelector("dialog[open]")) return true;
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target.matches("input:not([type=checkbox], [type=radio]), textarea, select"))
    return true;
  return key === "Enter" && target.closest("a, button, summary, input, [role=menuitem], [role=option]") !== null;
}
