/** The data of a tree as a form: what is wrong is told at its field, and what becomes stale before it is saved. */
import type { Live, TreeView } from "@typed-flows/react";
import { useEffect, useMemo, useRef, useState, type KeyboardEvent } from "react";
import { act, ask, Problem } from "../../ask";
import { writeJson } from "../../exact";
import { Button } from "../../parts/Button";
import { Bones } from "../../parts/Bones";
import { Card } from "../../parts/Card";
import { useToast } from "../../parts/Toast";
import { toldOf } from "../../parts/useActing";
import { setParams } from "../../route";
import * as text from "../../text";
import { Faults } from "../new/Faults";
import { Fields } from "../new/Fields";
import { JsonPane } from "../new/JsonPane";
import { fieldsOf, type Schema } from "../new/schema";
import { focusOn, useForm, type Params } from "../new/useForm";
import type { Tree } from "./stand";
import { staleBy } from "./why";

/** So many paths are named. */
const MOST = 12;
const close = () => setParams({ edit: null });

interface Props {
  tree: Tree;
  /** Why it cannot be saved now. */
  off: string | null;
}

/** The data is asked for as a whole: what the page shows may be a part of it. */
export default function EditData({ tree, off }: Props) {
  const [whole, setWhole] = useState<Live<TreeView> | null>(null);
  const [wrong, setWrong] = useState<string | null>(null);
  const { id, app } = tree;
  useEffect(() => {
    const gone = new AbortController();
    ask("trees.show", { id, app, whole: true }, gone.signal).then(setWhole, (error) => {
      if (!gone.signal.aborted) setWrong(toldOf(error));
    });
    return () => gone.abort();
  }, [id, app]);
  if (wrong) return <p className="fault">{wrong}</p>;
  if (!whole) return <Bones rows={4} />;
  const schema = (whole.json_schema ?? null) as Schema | null;
  return <Editing tree={tree} schema={schema} start={whole.data as Params} off={off} />;
}

function Editing({ tree, schema, start, off }: Props & { schema: Schema | null; start: Params }) {
  const said = text.tree.edit;
  const fields = useMemo(() => (schema ? fieldsOf(schema) : null), [schema]);
  const form = useForm(fields, start);
  const [busy, setBusy] = useState(false);
  const [refused, setRefused] = useState<string | null>(null);
  const next = useRef(0);
  const toast = useToast();
  const changed = useMemo(() => changedIn(start, form.value), [start, form.value]);
  const stale = useMemo(() => staleBy(changed, tree), [changed, tree]);
  const goNext = () => {
    const { told } = form;
    if (told.length) focusOn(told[next.current++ % told.length]!.place);
  };
  const save = async () => {
    if (busy || off || changed.size === 0) return;
    setRefused(null);
    form.tell();
    if (form.faults.length) return focusOn(form.faults[0]!.place);
    setBusy(true);
    try {
      await act("trees.update", { id: tree.id, app: tree.app, data: form.value });
      toast(said.saved);
      close();
    } catch (error) {
      const errors = error instanceof Problem ? error.errors : [];
      form.tell(errors);
      if (errors.length) focusOn(errors[0]!.place);
      else setRefused(toldOf(error));
      setBusy(false);
    }
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "F8") goNext();
    else if (event.key === "Enter" && (event.metaKey || event.ctrlKey)) void save();
    else return;
    event.preventDefault();
  };
  return (
    <div className="side json" onKeyDown={onKeyDown}>
      <Card title={said.title} more={<bdi className="ty">{String(schema?.["title"] ?? "")}</bdi>}>
        <div className="form">{fields && <Fields fields={fields} place={[]} form={form} />}</div>
      </Card>
      <div className="stack">
        <JsonPane form={form} />
        <Faults form={form} fine={changed.size ? said.changes([...changed]) : said.unchanged} onNext={goNext}>
          <div className="sec">
            {changed.size > 0 && (
              <p>
                {said.stale(stale.length)}
                {stale.slice(0, MOST).map((path, n) => (
                  <span key={path}>
                    {n > 0 && ", "}
                    <bdi className="mono">{path}</bdi>
                  </span>
                ))}
                {stale.length > MOST && said.rest(stale.length - MOST)}
              </p>
            )}
            <p className="sub">{said.keeps}</p>
            {refused && (
              <p className="failed wraps" role="alert">
                <bdi>{refused}</bdi>
              </p>
            )}
          </div>
          <div className="acts">
            <Button
              look="pri"
              icon="save"
              off={off ?? (changed.size ? null : said.unchanged)}
              busy={busy}
              onPress={() => void save()}
            >
              {said.save}
            </Button>
            <Button onPress={close}>{said.cancel}</Button>
            <kbd className="end">{"⌘ ↵"}</kbd>
          </div>
        </Faults>
      </div>
    </div>
  );
}

/** The names of the members that are others. */
function changedIn(before: Params, after: Params): ReadonlySet<string> {
  const names = [...Object.keys(before), ...Object.keys(after)];
  const written = (value: unknown) => (value === undefined ? "" : writeJson(value));
  return new Set(names.filter((name) => written(before[name]) !== written(after[name])));
}
