import { act } from "../../ask";
import { Button } from "../../parts/Button";
import { Dialog } from "../../parts/Dialog";
import { Json } from "../../parts/Json";
import { Link } from "../../parts/Link";
import { useToast } from "../../parts/Toast";
import { useAct } from "../../parts/useActing";
import { at } from "../../route";
import * as text from "../../text";
import { Wrong } from "../runs/dialogs/fields";
import type { Schedule } from "./slots";

/** So long the way to the new run stays. */
const LASTS = 10_000;

/** Asks once more before a schedule's run is started out of turn; the way to it is told, and the page stays. */
export function RunNow({ schedule, onClose }: { schedule: Schedule; onClose: () => void }) {
  const { runNow: said } = text.schedules;
  const toast = useToast();
  const start = useAct(async () => {
    const { id } = await act("schedules.trigger", { id: schedule.id });
    const link = <Link to={at("runs", id)}>{said.open}</Link>;
    toast(
      <bdi>
        {said.started(schedule.id)} {link}
      </bdi>,
      { lasts: LASTS },
    );
    onClose();
  });
  return (
    <Dialog
      title={said.title(schedule.id)}
      onClose={onClose}
      acts={
        <>
          <Button onPress={onClose}>{said.keep}</Button>
          <Button look="pri" icon="play" busy={start.busy} onPress={start.run}>
            {said.act}
          </Button>
        </>
      }
    >
      <p>
        <bdi>{said.says(schedule.workflow, schedule.input != null)}</bdi>
      </p>
      {schedule.input != null && <Json value={schedule.input} lines={false} />}
      <Wrong what={start.wrong} />
    </Dialog>
  );
}
