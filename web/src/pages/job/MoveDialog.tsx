/** Moves a job to another queue, with other values of its fields where they need mending. */
import type { FlowView, JobView, Live } from "@typed-flows/react";
import { useId, useState } from "react";
import { readJson, writeJson } from "../../exact";
import { act } from "../../ask";
import { Button } from "../../parts/Button";
import { Dialog } from "../../parts/Dialog";
import * as text from "../../text";
import { Refused, useGo } from "./Dialogs";

const said = text.job.dialogs;

interface Props {
  job: Live<JobView>;
  view: FlowView;
  onClose: () => void;
}

type Fields = Record<string, unknown>;

function read(value: string): { fields: Fields | null; wrong: string | null } {
  if (!value.trim()) return { fields: null, wrong: null };
  try {
    const fields: unknown = readJson(value);
    if (typeof fields === "object" && fields !== null && !Array.isArray(fields))
      return { fields: fields as Fields, wrong: null };
    return { fields: null, wrong: said.noJson("{ }") };
  } catch (error) {
    return { fields: null, wrong: said.noJson((error as Error).message) };
  }
}

export function MoveDialog({ job, view, onClose }: Props) {
  const ids = { to: useId(), fields: useId(), params: useId() };
  const queues = view.declared.filter((queue) => queue.parent === null && queue.name !== job.queue);
  const [to, setTo] = useState(queues.length === 1 ? queues[0]!.name : "");
  const [value, setValue] = useState("");
  const [params, setParams] = useState(false);
  const { busy, refused, go } = useGo(onClose);
  const { fields, wrong } = read(value);
  const insert = (name: string, now: unknown) => setValue(writeJson({ ...fields, [name]: now }, 2));
  const move = () =>
    go(() =>
      act("jobs.move", {
        id: job.id,
        flow: job.flow,
        to,
        ...(fields && Object.keys(fields).length ? { fields, edit_params: params } : {}),
      }),
    );
  const shown = job.fields.filter((field) => !field.hidden && !field.cut).slice(0, 30);
  return (
    <Dialog
      title={said.moveTitle}
      wide
      onClose={onClose}
      acts={
        <>
          <Button onPress={onClose}>{said.close}</Button>
          <Button look="pri" icon="move" busy={busy} off={to ? wrong : said.chooseQueue} onPress={() => void move()}>
            {said.moveGo}
          </Button>
        </>
      }
    >
      <p>{said.move}</p>
      <div className="field">
        <label htmlFor={ids.to}>{said.moveTo}</label>
        <select id={ids.to} className="inp" value={to} onChange={(event) => setTo(event.target.value)}>
          <option value="" />
          {queues.map((queue) => (
            <option key={queue.name}>{queue.name}</option>
          ))}
        </select>
      </div>
      <div className="field">
        <label htmlFor={ids.fields}>{said.fields}</label>
        <textarea
          id={ids.fields}
          className={wrong ? "inp bad" : "inp"}
          rows={6}
          spellCheck={false}
          value={value}
          aria-invalid={wrong !== null}
          onChange={(event) => setValue(event.target.value)}
        />
        <span className="help">{wrong ?? said.fieldsHelp}</span>
      </div>
      <div className="gap">
        <span className="dim">{said.insert}</span>
        {shown.map((field) => (
          <button key={field.name} type="button" className="chip" onClick={() => insert(field.name, field.value)}>
            <bdi>{field.name}</bdi>
          </button>
        ))}
      </div>
      <label htmlFor={ids.params} className="gap">
        <input id={ids.params} type="checkbox" checked={params} onChange={(event) => setParams(event.target.checked)} />
        {said.params}
      </label>
      <Refused why={refused} />
    </Dialog>
  );
}
