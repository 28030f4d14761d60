/** The form of one flow: one job, or many by lines; F8 goes from one fault to the next. */
import type { FlowView } from "@typed-flows/react";
import { useMemo, useRef, useState, type KeyboardEvent } from "react";
import { act, Problem } from "../../ask";
import { writeJson } from "../../exact";
import { useWhyNot } from "../../me";
import { Button } from "../../parts/Button";
import { Card } from "../../parts/Card";
import { copy } from "../../parts/copy";
import { Segments } from "../../parts/Segments";
import { Title } from "../../parts/Title";
import { useToast } from "../../parts/Toast";
import { jobAt, navigate } from "../../route";
import * as text from "../../text";
import { Named } from "../jobs/Consequences";
import { quoted } from "../jobs/query";
import { createJob } from "../python";
import { Fields } from "./Fields";
import { FillDialog } from "./FillDialog";
import { JsonPane } from "./JsonPane";
import { Many } from "./Many";
import { fieldsOf, startOfAll } from "./schema";
import { Send } from "./Send";
import { focusOn, useForm, type Params } from "./useForm";
import { optionsOf, pythonOf, WHEN, wrongIn } from "./when";
import { WhenCard } from "./WhenCard";

const said = text.newJob;
const MODES = [
  ["one", said.one],
  ["many", said.many],
] as const;

export function Creating({ view, start }: { view: FlowView; start: Params | null }) {
  const schema = view.params?.json_schema ?? null;
  const fields = useMemo(() => (schema ? fieldsOf(schema) : null), [schema]);
  const empty = useMemo(() => (fields ? startOfAll(fields) : {}), [fields]);
  const form = useForm(fields, start ?? empty);
  const [mode, setMode] = useState<"one" | "many">("one");
  const [when, setWhen] = useState(WHEN);
  const [filling, setFilling] = useState(false);
  const [busy, setBusy] = useState(false);
  const [refused, setRefused] = useState<string | null>(null);
  const next = useRef(0);
  const toast = useToast();
  const off = useWhyNot()("jobs.create");
  const first = view.declared[0]!;
  const wrong = wrongIn(when);

  const goNext = () => {
    const { told } = form;
    if (told.length) focusOn(told[next.current++ % told.length]!.place);
  };
  const send = async () => {
    if (busy || off) return;
    setRefused(null);
    form.tell();
    if (form.faults.length) return focusOn(form.faults[0]!.place);
    if (wrong) return setRefused(wrong);
    setBusy(true);
    try {
      const made = await act("jobs.create", { ...optionsOf(when), flow: view.name, params: form.value });
      toast(made.word === "existing" ? said.existing : said.created);
      navigate(jobAt(made.flow, made.id));
    } catch (error) {
      const problem = error instanceof Problem ? error : null;
      form.tell(problem?.errors);
      if (problem?.errors.length) focusOn(problem.errors[0]!.place);
      else setRefused(problem?.detail ?? String(error));
      setBusy(false);
    }
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "F8") {
      event.preventDefault();
      goNext();
    } else if (event.key === "Enter" && (event.metaKey || event.ctrlKey) && mode === "one") {
      event.preventDefault();
      void send();
    }
  };
  const copyAs = (as: "python" | "command") => {
    const options = Object.entries(optionsOf(when)).map(
      ([name, value]) => `--${name.replaceAll("_", "-")} ${quoted(String(value))}`,
    );
    const line =
      as === "python"
        ? createJob(view.name, view.params?.title ?? "", form.value, pythonOf(when))
        : ["flows jobs create", quoted(view.name), quoted(writeJson(form.value)), ...options].join(" ");
    void copy(line).then((ok) => toast(ok ? said.copied : said.notCopied));
  };
  const whenCard = (
    <WhenCard when={when} priorities={first.priorities} many={mode === "many"} wrong={wrong} onChange={setWhen} />
  );
  return (
    <div className="stack" onKeyDown={onKeyDown}>
      <Title
        title={said.title}
        sub={
          <>
            <Named parts={said.sub(view.name, first.name)} />
            {view.versions[0] && said.version(view.versions[0].digest.slice(0, 4))}
          </>
        }
        acts={<Segments label={said.mode} options={MODES} value={mode} onChange={setMode} />}
      />
      {mode === "many" ? (
        <div className="side json">
          <Many flow={view.name} fields={fields} when={when} off={off ?? wrong} />
          {whenCard}
        </div>
      ) : (
        <div className="side json">
          <Card
            title={
              <>
                {said.params} {view.params && <span className="ty">{view.params.title}</span>}
              </>
            }
            more={
              <>
                <Button look="small" icon="copy" onPress={() => setFilling(true)}>
                  {said.fill}
                </Button>
                <Button look="quiet small" onPress={() => form.setAll(empty)}>
                  {said.empty}
                </Button>
              </>
            }
          >
            <div className="form">
              {fields ? <Fields fields={fields} place={[]} form={form} /> : <p className="dim">{said.noSchema}</p>}
            </div>
          </Card>
          <div className="stack">
            <JsonPane form={form} />
            {whenCard}
            <Send
              form={form}
              off={off}
              busy={busy}
              refused={refused}
              bySchema={fields !== null}
              onSend={() => void send()}
              onNext={goNext}
              onCopy={copyAs}
            />
          </div>
        </div>
      )}
      {filling && <FillDialog flow={view.name} onFill={form.setAll} onClose={() => setFilling(false)} />}
    </div>
  );
}
