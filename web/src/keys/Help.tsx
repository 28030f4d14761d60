/** What each key does here; what this page has not is left out. */
import { useState } from "react";
import { Dialog } from "../parts/Dialog";
import * as text from "../text";
import { Caps } from "./Caps";
import { type Command, titleOf, useAllCommands } from "./commands";
import { setSingleKeys, singleKeys } from "./listen";
import { type Group, type Key, type KeyName, table } from "./table";

const COLUMNS: readonly (readonly Group[])[] = [["go"], ["rows", "anywhere"], ["act", "view"]];

export default function Help({ page, onClose }: { page: string; onClose: () => void }) {
  const commands = useAllCommands();
  const [on, setOn] = useState(singleKeys);
  const here = new Map<KeyName, Command>();
  for (const command of commands) if (command.key && command.there?.() !== false) here.set(command.key, command);
  return (
    <Dialog
      title={text.keys.title}
      sub={text.keys.on(page)}
      wide
      onClose={onClose}
      acts={
        <>
          <span>{text.keys.previewFirst}</span>
          <span>{text.keys.noDeleting}</span>
          <label className="single-keys">
            <input
              type="checkbox"
              checked={on}
              onChange={({ target }) => {
                setSingleKeys(target.checked);
                setOn(target.checked);
              }}
            />
            {text.keys.single}
            <Caps keys={table.palette.keys} />
          </label>
        </>
      }
    >
      <div className="helpk" tabIndex={0}>
        {COLUMNS.map((groups) => (
          <div key={groups[0]}>
            {groups.map((group) => (
              <Keys key={group} group={group} here={here} />
            ))}
          </div>
        ))}
      </div>
    </Dialog>
  );
}

function Keys({ group, here }: { group: Group; here: ReadonlyMap<KeyName, Command> }) {
  const rows = (Object.entries(table) as [KeyName, Key][]).flatMap(([name, key]) => {
    const command = here.get(name);
    return key.group === group && command ? [{ name, keys: key.keys, command }] : [];
  });
  if (rows.length === 0) return null;
  return (
    <section>
      <h3>{text.keys.groups[group]}</h3>
      <dl>
        {rows.map(({ name, keys, command }) => (
          <div className="k" key={name} title={command.off ?? undefined}>
            <dt className={command.off ? "dim" : ""}>{titleOf(command)}</dt>
            <dd>
              <Caps keys={keys} />
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
