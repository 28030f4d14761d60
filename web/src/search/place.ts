/** Where an id leads: it may be a job's, a run's or a tree's. */
import { ask } from "../ask";
import { at, jobAt, jobsAt } from "../route";

/** Returns the address of what has an id; that of an empty list, where nothing has it. */
export async function placeOf(id: string, flows: readonly string[]): Promise<string> {
  const found = await Promise.all(flows.map((flow) => ask("jobs.find", { flow, query: `id:${id}`, limit: 1 })));
  const job = found.flatMap(({ jobs }) => jobs)[0];
  if (job) return jobAt(job.flow, job.id);
  return ask("runs.show", { id })
    .then(() => at("runs", id))
    .catch(() => ask("trees.show", { id }).then(() => at("trees", id)))
    .catch(() => jobsAt(`id:${id}`));
}
