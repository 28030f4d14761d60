/** What may be done with schedules: each with the reason why it cannot be done now. */
import { useWhyNot } from "../../me";
import { useToast } from "../../parts/Toast";
import { useActing } from "../../parts/useActing";
import * as text from "../../text";
import type { Schedule } from "./slots";

const UNDO = 5_000;
export type ScheduleActs = ReturnType<typeof useScheduleActs>;

interface Opens {
  run: (schedule: Schedule) => void;
  edit: (schedule: Schedule) => void;
  remove: (schedule: Schedule) => void;
}

export function useScheduleActs(old: boolean, opens: Opens) {
  const whyNot = useWhyNot();
  const toast = useToast();
  const { run } = useActing();
  const said = text.schedules.acts;
  const away = old ? text.run.off.old : null;
  const resume = (schedule: Schedule) => run("schedules.resume", { id: schedule.id }, said.resumed(schedule.id));
  const pause = async (schedule: Schedule) => {
    if (await run("schedules.pause", { id: schedule.id }))
      toast(said.paused(schedule.id), { lasts: UNDO, undo: () => void resume(schedule) });
  };
  const declared = (schedule: Schedule) => (schedule.app == null ? null : said.declared(schedule.app));
  return {
    createOff: away ?? whyNot("schedules.create"),
    runOff: away ?? whyNot("schedules.trigger"),
    fillOff: away ?? whyNot("schedules.backfill"),
    pauseOff: (schedule: Schedule) => away ?? whyNot(schedule.paused == null ? "schedules.pause" : "schedules.resume"),
    editOff: (schedule: Schedule) => away ?? whyNot("schedules.edit") ?? declared(schedule),
    removeOff: (schedule: Schedule) => away ?? whyNot("schedules.delete") ?? declared(schedule),
    pause: (schedule: Schedule) => void pause(schedule),
    resume: (schedule: Schedule) => void resume(schedule),
    run: opens.run,
    edit: opens.edit,
    remove: opens.remove,
  };
}
