import { act } from "../../ask";
import { Button } from "../../parts/Button";
import { Dialog } from "../../parts/Dialog";
import { useToast } from "../../parts/Toast";
import { useAct } from "../../parts/useActing";
import * as text from "../../text";
import { Wrong } from "../runs/dialogs/fields";
import type { Schedule } from "./slots";

/** Asks once more before a schedule is deleted. */
export function RemoveSchedule({ schedule, onClose }: { schedule: Schedule; onClose: () => void }) {
  const { remove: said } = text.schedules;
  const toast = useToast();
  const remove = useAct(async () => {
    await act("schedules.delete", { id: schedule.id });
    toast(said.done(schedule.id));
    onClose();
  });
  return (
    <Dialog
      title={said.title(schedule.id)}
      onClose={onClose}
      acts={
        <>
          <Button onPress={onClose}>{said.keep}</Button>
          <Button look="bad" icon="bin" busy={remove.busy} onPress={remove.run}>
            {said.act}
          </Button>
        </>
      }
    >
      <p>{said.says}</p>
      <Wrong what={remove.wrong} />
    </Dialog>
  );
}
