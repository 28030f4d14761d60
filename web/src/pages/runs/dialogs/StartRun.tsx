/** Starts a run of a workflow with JSON, beside the schema of its input. */
import type { Live, WorkflowView } from "@typed-flows/react";
import { useState } from "react";
import { readJson } from "../../../exact";
import { act } from "../../../ask";
import { Button } from "../../../parts/Button";
import { Dialog } from "../../../parts/Dialog";
import { Json } from "../../../parts/Json";
import { useToast } from "../../../parts/Toast";
import { useAct } from "../../../parts/useActing";
import { at, navigate } from "../../../route";
import * as text from "../../../text";
import { sample } from "./sample";
import { Choice, JsonField, TextField, whyNoJson, Wrong } from "./fields";

interface Props {
  workflow: string | null;
  workflows: readonly Live<WorkflowView>[];
  onClose: () => void;
}

export function StartRun({ workflow: wanted, workflows, onClose }: Props) {
  const { dialog: said } = text.runs;
  const toast = useToast();
  const [workflow, setWorkflow] = useState(wanted ?? workflows[0]?.workflow ?? "");
  const chosen = workflows.find((one) => one.workflow === workflow);
  const [input, setInput] = useState<string | null>(null);
  const given = input ?? JSON.stringify(sample(chosen?.input_schema ?? null), null, 2);
  const [tags, setTags] = useState("");
  const [key, setKey] = useState("");
  const start = useAct(async () => {
    const words = tags.split(/\s+/).filter(Boolean);
    const made = await act("runs.start", {
      workflow,
      input: readJson(given),
      ...(words.length ? { tags: words } : {}),
      ...(key ? { idempotency_key: key } : {}),
    });
    toast(made.word === "existing" ? said.existing : said.started);
    onClose();
    navigate(at("runs", made.id));
  });
  return (
    <Dialog
      title={said.title}
      onClose={onClose}
      acts={
        <Button look="pri" icon="play" busy={start.busy} off={whyNoJson(given)} onPress={start.run}>
          {said.act}
        </Button>
      }
    >
      <Choice
        label={said.workflow}
        value={workflow}
        onChange={setWorkflow}
        options={workflows.map((one) => [one.workflow, one.workflow] as const)}
        help={said.checked}
      />
      <JsonField label={said.input} value={given} onChange={setInput} />
      {chosen?.input_schema != null && (
        <details>
          <summary>{said.schema}</summary>
          <Json value={chosen.input_schema} />
        </details>
      )}
      <div className="g2">
        <TextField label={said.tags} type={said.optional} value={tags} onChange={setTags} help={said.tagsHelp} />
        <TextField label={said.key} type={said.optional} value={key} onChange={setKey} help={said.keyHelp} />
      </div>
      <Wrong what={start.wrong} />
    </Dialog>
  );
}
