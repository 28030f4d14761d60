/** Many jobs by pasted lines: each is checked before the first is created, and what is refused is told by its line. */
import { useMemo, useState } from "react";
import { act, Problem } from "../../ask";
import { Button, LinkButton } from "../../parts/Button";
import { Card } from "../../parts/Card";
import { jobsAt } from "../../route";
import * as text from "../../text";
import { faultsOf } from "./checks";
import { jobsOf } from "./lines";
import { nameOf } from "./places";
import type { Field } from "./schema";
import { optionsOf, type When } from "./when";

const said = text.newJob;
/** The server takes 20 actions a second of one caller. */
const PAUSE = 60;
const MOST_TOLD = 20;
const MOST_SHOWN = 100;

interface Props {
  flow: string;
  fields: readonly Field[] | null;
  when: When;
  off: string | null;
}

interface Sent {
  ids: string[];
  refused: { line: number; message: string }[];
  over: boolean;
}

export function Many({ flow, fields, when, off }: Props) {
  const [value, setValue] = useState("");
  const [sent, setSent] = useState<Sent | null>(null);
  const given = useMemo(() => jobsOf(value, fields ?? [], said.noObject), [value, fields]);
  const wrong = useMemo(
    () =>
      given.flatMap((one) => {
        if (one.params === null) return [{ line: one.line, message: one.wrong ?? "" }];
        const [first] = fields ? faultsOf(fields, one.params) : [];
        return first ? [{ line: one.line, message: `${nameOf(first.place)} ${first.message}` }] : [];
      }),
    [given, fields],
  );
  const busy = sent !== null && !sent.over;
  const create = async () => {
    const ids: string[] = [];
    const refused: Sent["refused"] = [];
    for (const one of given) {
      try {
        ids.push((await act("jobs.create", { ...optionsOf({ ...when, key: "" }), flow, params: one.params! })).id);
      } catch (error) {
        refused.push({ line: one.line, message: error instanceof Problem ? error.detail : String(error) });
      }
      setSent({ ids: [...ids], refused: [...refused], over: false });
      await new Promise((go) => setTimeout(go, PAUSE));
    }
    setSent({ ids, refused, over: true });
  };
  const why = off ?? (given.length === 0 ? said.noLines : wrong.length ? said.look(wrong.length) : null);
  const told = [...wrong, ...(sent?.refused ?? [])].slice(0, MOST_TOLD);
  return (
    <Card title={said.lines}>
      <div className="form">
        <div className="field">
          <textarea
            className={wrong.length ? "inp bad" : "inp"}
            aria-label={said.lines}
            aria-invalid={wrong.length > 0}
            rows={16}
            spellCheck={false}
            placeholder={exampleOf(fields)}
            value={value}
            onChange={({ target }) => {
              setValue(target.value);
              setSent(null);
            }}
          />
          <span className="help">{said.linesHelp}</span>
        </div>
        {told.map((one) => (
          <p className="fault" key={`${one.line} ${one.message}`}>
            <b>{said.lineNo(one.line)}</b> <bdi>{one.message}</bdi>
          </p>
        ))}
        <div className="gap" role="status">
          <Button look="pri" icon="plus" off={why} busy={busy} onPress={() => void create()}>
            {said.createMany(given.length)}
          </Button>
          {sent && (
            <span>
              {sent.over
                ? said.createdMany(sent.ids.length, sent.refused.length)
                : said.creating(sent.ids.length, given.length)}
            </span>
          )}
          {sent?.over && sent.ids.length > 0 && (
            <LinkButton to={jobsAt(`flow:${flow} id:${sent.ids.slice(-MOST_SHOWN).join("|")}`)}>
              {said.seeThem}
            </LinkButton>
          )}
        </div>
      </div>
    </Card>
  );
}

function exampleOf(fields: readonly Field[] | null): string {
  const names = fields?.filter((field) => field.required).map((field) => field.name) ?? [];
  const some = names.length ? names : (fields ?? []).slice(0, 2).map((field) => field.name);
  return `{${some.map((name) => `"${name}": …`).join(", ")}}`;
}
