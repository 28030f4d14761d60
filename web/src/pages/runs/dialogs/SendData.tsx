/** Sends a step what it waits for: an event, or a person's answer. */
import type { Live, RunView, StepView } from "@typed-flows/react";
import { useState } from "react";
import { readJson } from "../../../exact";
import { act } from "../../../ask";
import { Button } from "../../../parts/Button";
import { Dialog } from "../../../parts/Dialog";
import { useToast } from "../../../parts/Toast";
import { text } from "../../../text";
import { JsonField, whyNoJson, Wrong } from "./fields";
import { sample } from "./sample";
import { useAct } from "./useAct";

interface Props {
  run: Live<RunView>;
  step: Live<StepView>;
  onClose: () => void;
}

export function SendData({ run, step, onClose }: Props) {
  const toast = useToast();
  const { sendDialog: said } = text.run;
  const asks = step.kind === "input";
  const [data, setData] = useState(() => (asks ? JSON.stringify(sample(step.answer_schema), null, 2) : "{}"));
  const send = useAct(async () => {
    const given = { id: run.id, step: step.name, data: readJson(data) };
    const answer = asks ? await act("runs.provide", given) : await act("runs.send", given);
    toast(answer.word === "goes on" ? said.goesOn : said.kept);
    onClose();
  });
  return (
    <Dialog
      title={asks ? said.answer(step.name) : said.event(step.event ?? step.name)}
      onClose={onClose}
      acts={
        <Button look="pri" icon="send" busy={send.busy} off={whyNoJson(data)} onPress={send.run}>
          {said.act}
        </Button>
      }
    >
      <p>
        <bdi>{asks ? step.prompt : said.eventSays(step.key ?? "")}</bdi>
      </p>
      <JsonField label={said.data} value={data} onChange={setData} />
      <Wrong what={send.wrong} />
    </Dialog>
  );
}
