/** Makes a schedule, or gives one that was made so other times, policies and input. */
import type { WorkflowView } from "@typed-flows/react";
import { useEffect, useState } from "react";
import { readJson, writeJson } from "../../exact";
import { act, ask } from "../../ask";
import { Button } from "../../parts/Button";
import { Dialog } from "../../parts/Dialog";
import { Segments } from "../../parts/Segments";
import { useToast } from "../../parts/Toast";
import { useAct } from "../../parts/useActing";
import { setParams } from "../../route";
import * as text from "../../text";
import { Choice, JsonField, TextField, whyNoJson, Wrong } from "../runs/dialogs/fields";
import type { Schedule } from "./slots";
import { cronWords } from "./when";

const zones = ["UTC", ...Intl.supportedValuesOf("timeZone")].map((zone) => [zone, zone] as const);
type Overlap = "skip" | "queue" | "cancel_running" | "allow";
type Missed = "last" | "skip" | "all";

export function EditSchedule({ schedule, onClose }: { schedule: Schedule | null; onClose: () => void }) {
  const { edit: said, panel } = text.schedules;
  const toast = useToast();
  const [id, setId] = useState(schedule?.id ?? "");
  const [workflow, setWorkflow] = useState(schedule?.workflow ?? "");
  const [kind, setKind] = useState<"cron" | "every">(schedule?.interval != null ? "every" : "cron");
  const [cron, setCron] = useState(schedule?.cron ?? "0 3 * * *");
  const [timezone, setTimezone] = useState(schedule?.timezone ?? "UTC");
  const [every, setEvery] = useState(schedule?.interval != null ? `${schedule.interval}s` : "5m");
  const [overlap, setOverlap] = useState((schedule?.overlap ?? "skip") as Overlap);
  const [missed, setMissed] = useState((schedule?.missed ?? "last") as Missed);
  const [input, setInput] = useState(writeJson(schedule?.input ?? null, 2));
  const known = useWorkflows();
  useEffect(() => {
    if (!workflow && known[0]) setWorkflow(known[0].workflow);
  }, [workflow, known]);
  const save = useAct(async () => {
    const times = kind === "cron" ? { cron, timezone } : { every };
    const given = { id, input: readJson(input), overlap, missed, ...times };
    if (schedule) await act("schedules.edit", given);
    else await act("schedules.create", { ...given, workflow });
    toast(schedule ? said.saved(id) : said.made(id));
    onClose();
    setParams({ id });
  });
  return (
    <Dialog
      title={schedule ? said.edit(schedule.id) : said.create}
      onClose={onClose}
      acts={
        <Button look="pri" icon={schedule ? "save" : "plus"} busy={save.busy} off={whyNoJson(input)} onPress={save.run}>
          {schedule ? said.save : said.act}
        </Button>
      }
    >
      {!schedule && (
        <div className="g2">
          <TextField label={said.id} value={id} onChange={setId} />
          <Choice
            label={said.workflow}
            value={workflow}
            onChange={setWorkflow}
            options={known.map((one) => [one.workflow, one.workflow] as const)}
          />
        </div>
      )}
      <Segments
        label={said.when}
        options={[
          ["cron", said.cron],
          ["every", said.every],
        ]}
        value={kind}
        onChange={setKind}
      />
      {kind === "cron" ? (
        <div className="g2">
          <TextField
            label={said.expression}
            value={cron}
            onChange={setCron}
            help={
              <>
                <b>{cronWords(cron) ?? said.unreadable}</b> {said.expressionHelp}
              </>
            }
          />
          <Choice label={said.zone} value={timezone} onChange={setTimezone} options={zones} />
        </div>
      ) : (
        <TextField label={said.interval} value={every} onChange={setEvery} help={said.intervalHelp} />
      )}
      <div className="g2">
        <Choice
          label={said.overlap}
          value={overlap}
          onChange={(value) => setOverlap(value as Overlap)}
          options={Object.entries(panel.overlaps)}
        />
        <Choice
          label={said.missed}
          value={missed}
          onChange={(value) => setMissed(value as Missed)}
          options={Object.entries(panel.misses)}
        />
      </div>
      <JsonField label={said.input} value={input} onChange={setInput} />
      <Wrong what={save.wrong} />
    </Dialog>
  );
}

function useWorkflows(): readonly WorkflowView[] {
  const [found, setFound] = useState<WorkflowView[]>([]);
  useEffect(() => {
    const gone = new AbortController();
    ask("runs.workflows", {}, gone.signal).then(setFound, () => {});
    return () => gone.abort();
  }, []);
  return found;
}
