/** Where an id leads: it may be a job's or a run's. */
import { ask, Problem } from "../ask";
import { at, jobAt, jobsAt } from "../route";

export async function placeOf(id: string): Promise<string> {
  try {
    return jobAt((await ask("jobs.show", { id })).flow, id);
  } catch (error) {
    if (!(error instanceof Problem) || error.isAway) throw error;
  }
  try {
    await ask("runs.show", { id });
    return at("runs", id);
  } catch {
    return jobsAt(`id:${id}`); // the list says that there is none
  }
}
