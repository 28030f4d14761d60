/** Sends a step what it waits for: an event, or a person's answer, in a form where its type is known. */
import type { Live, RunView, StepView } from "@typed-flows/react";
import { useMemo, useState } from "react";
import { act } from "../../../ask";
import { readJson, writeJson } from "../../../exact";
import { Button } from "../../../parts/Button";
import { Dialog } from "../../../parts/Dialog";
import { useToast } from "../../../parts/Toast";
import { useAct } from "../../../parts/useActing";
import * as text from "../../../text";
import { Fields } from "../../new/Fields";
import { fieldOf, startOf } from "../../new/schema";
import { focusOn, useForm } from "../../new/useForm";
import { JsonField, whyNoJson, Wrong } from "./fields";
import { sample } from "./sample";

interface Props {
  run: Live<RunView>;
  step: Live<StepView>;
  onClose: () => void;
}

const { sendDialog: said } = text.run;
/** Under this name the whole answer stands in its form. */
const WHOLE = said.field;

export function SendData({ run, step, onClose }: Props) {
  const toast = useToast();
  const asks = step.kind === "input";
  const field = useMemo(() => answerOf(step), [step]);
  const fields = useMemo(() => (field ? [field] : null), [field]);
  const form = useForm(fields, field ? { [WHOLE]: startOf(field) ?? null } : {});
  const [data, setData] = useState(() => (asks ? writeJson(sample(step.answer_schema), 2) : "{}"));
  const send = useAct(async () => {
    form.tell();
    if (form.faults[0]) return focusOn(form.faults[0].place);
    const given = { id: run.id, step: step.name, data: field ? form.value[WHOLE] : readJson(data) };
    const answer = asks ? await act("runs.provide", given) : await act("runs.send", given);
    toast(answer.word === "kept" ? said.kept : asks ? said.answered : said.sent);
    onClose();
  });
  const says = asks ? step.prompt : said.eventSays(step.key ?? "");
  return (
    <Dialog
      title={asks ? said.answer(step.name) : said.event(step.event ?? step.name)}
      onClose={onClose}
      acts={
        <Button look="pri" icon="send" busy={send.busy} off={field ? null : whyNoJson(data)} onPress={send.run}>
          {said.act}
        </Button>
      }
    >
      {says && (
        <p>
          <bdi>{says}</bdi>
        </p>
      )}
      {step.refused && <Wrong what={said.refused(step.refused)} />}
      {field ? (
        <Fields
          fields={field.kind === "object" ? field.fields : [field]}
          place={field.kind === "object" ? [WHOLE] : []}
          form={form}
        />
      ) : (
        <JsonField label={said.data} value={data} onChange={setData} />
      )}
      <Wrong what={send.wrong} />
    </Dialog>
  );
}

/** The answer as a field of a form; null where its type is not known, or is of several kinds: it is written as JSON. */
function answerOf(step: Live<StepView>) {
  const schema = step.answer_schema;
  if (step.kind !== "input" || schema == null) return null;
  const field = fieldOf(WHOLE, schema, schema, true);
  return field.kind === "json" ? null : field;
}
