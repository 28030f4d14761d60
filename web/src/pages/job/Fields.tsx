/** What the job carries: each field with its type, its value and who wrote it; as JSON; and the schemas. */
import type { FieldView, FlowView, JobView, Live } from "@typed-flows/react";
import { useEffect, useState } from "react";
import { ask, Problem } from "../../ask";
import { writeJson } from "../../exact";
import { Button } from "../../parts/Button";
import { Card } from "../../parts/Card";
import { copy } from "../../parts/copy";
import { Dialog } from "../../parts/Dialog";
import { Json } from "../../parts/Json";
import { Segments } from "../../parts/Segments";
import { useToast } from "../../parts/Toast";
import * as text from "../../text";
import { isLong, Value } from "./Value";

const said = text.job.fields;
/** So many are drawn at first: a job may have 10,000. */
const MOST = 100;
type Tab = "fields" | "json" | "schema";

export function Fields({ job, view }: { job: Live<JobView>; view: FlowView | null }) {
  const [tab, setTab] = useState<Tab>("fields");
  const tabs = (Object.keys(said.tabs) as Tab[]).map((one) => [one, said.tabs[one]] as const);
  return (
    <Card title={said.title} more={<Segments label={said.title} options={tabs} value={tab} onChange={setTab} />}>
      {tab === "fields" && <Table job={job} />}
      {tab === "json" && <Plain job={job} />}
      {tab === "schema" && <Schemas job={job} view={view} />}
    </Card>
  );
}

function Table({ job }: { job: Live<JobView> }) {
  const [most, setMost] = useState(MOST);
  const [whole, setWhole] = useState<string | null>(null);
  if (job.fields.length === 0) return <p className="pad dim">{said.none}</p>;
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label={said.title}>
      <table className="fields">
        <thead>
          <tr>
            {said.columns.map((name) => (
              <th scope="col" key={name}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {job.fields.slice(0, most).map((field) => (
            <Row key={field.name} field={field} onWhole={() => setWhole(field.name)} />
          ))}
        </tbody>
      </table>
      {job.fields.length > most && (
        <div className="foot">
          <Button look="small" onPress={() => setMost(most + 10 * MOST)}>
            {said.more(job.fields.length - most)}
          </Button>
        </div>
      )}
      {whole !== null && <Whole job={job} name={whole} onClose={() => setWhole(null)} />}
    </div>
  );
}

const PYTHON: Readonly<Record<string, string>> = {
  string: "str",
  integer: "int",
  number: "float",
  boolean: "bool",
  array: "list",
  object: "dict",
  null: "None",
  "date-time": "datetime",
};
/** "integer or null" → "int | None" */
const typeOf = (words: string) =>
  words
    .split(" or ")
    .map((word) => PYTHON[word] ?? word)
    .join(" | ");

function Row({ field, onWhole }: { field: Live<FieldView>; onWhole: () => void }) {
  return (
    <tr>
      <td className="mono name">
        <bdi>{field.name}</bdi>
      </td>
      <td className="ty">{typeOf(field.type ?? "")}</td>
      <td className="val">
        {field.hidden ? (
          <span className="dim">{said.hidden}</span>
        ) : (
          <>
            <Value value={field.value ?? null} />{" "}
            {(field.cut || isLong(field.value)) && (
              <Button look="small" onPress={onWhole}>
                {said.showAll}
              </Button>
            )}
          </>
        )}
      </td>
      <td className="dim">
        <bdi>{field.of}</bdi>
      </td>
    </tr>
  );
}

/** All of one value, asked for when it is looked at. */
function Whole({ job, name, onClose }: { job: Live<JobView>; name: string; onClose: () => void }) {
  const [found, setFound] = useState<string | null>(null);
  const toast = useToast();
  const { id, flow } = job;
  useEffect(() => {
    const gone = new AbortController();
    ask("jobs.show", { id, flow, whole: true }, gone.signal).then(
      (view) => {
        const value = view.fields.find((field) => field.name === name)?.value;
        setFound(typeof value === "string" ? value : writeJson(value, 2));
      },
      (error) => {
        if (!gone.signal.aborted) setFound(error instanceof Problem ? error.detail : String(error));
      },
    );
    return () => gone.abort();
  }, [id, flow, name]);
  return (
    <Dialog
      title={said.whole(name.slice(0, 100))}
      wide
      onClose={onClose}
      acts={
        <>
          <span className="dim">{found === null ? text.parts.loading : said.size(found.length)}</span>
          <Button
            icon="copy"
            onPress={() => void copy(found ?? "").then((ok) => toast(ok ? text.parts.copied : text.parts.notCopied))}
          >
            {said.copy}
          </Button>
        </>
      }
    >
      <pre className="code whole" tabIndex={0}>
        <bdi>{found}</bdi>
      </pre>
    </Dialog>
  );
}

function Plain({ job }: { job: Live<JobView> }) {
  const shown = job.fields.filter((field) => !field.hidden);
  const value = Object.fromEntries(shown.map((field) => [field.name, field.value ?? null]));
  return (
    <pre className="json-of" tabIndex={0}>
      <Json value={value} />
    </pre>
  );
}

function Schemas({ job, view }: { job: Live<JobView>; view: FlowView | null }) {
  const queue = view?.declared.find((one) => one.name === job.queue);
  const own = job.flow.includes(":") ? null : view?.params;
  if (!own?.json_schema && !queue?.job.json_schema) return <p className="pad dim">{said.noSchema}</p>;
  return (
    <>
      {own?.json_schema && <Schema title={said.ofParams(own.title)} of={own.json_schema} />}
      {queue?.job.json_schema && (
        <Schema title={said.ofQueue(queue.name, queue.job.title)} of={queue.job.json_schema} />
      )}
    </>
  );
}

function Schema({ title, of }: { title: string; of: unknown }) {
  return (
    <>
      <h3 className="schema-h">{title}</h3>
      <pre className="json-of" tabIndex={0} aria-label={title}>
        <Json value={of} />
      </pre>
    </>
  );
}
