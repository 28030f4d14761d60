/** Every text of the dashboard, by page. A further language is a further folder with the same names. */
import { actionSentence } from "./en/actions";
import { audit } from "./en/audit";
import { board } from "./en/board";
import { frame } from "./en/frame";
import { job } from "./en/job";
import { jobs } from "./en/jobs";
import { keys } from "./en/keys";
import { limits } from "./en/limits";
import { login, nothing } from "./en/login";
import { newJob } from "./en/newJob";
import { palette } from "./en/palette";
import { parts } from "./en/parts";
import { releases } from "./en/releases";
import { run } from "./en/run";
import { runs } from "./en/runs";
import { schedules } from "./en/schedules";
import { search } from "./en/search";
import { server } from "./en/server";
import { states } from "./en/states";
import { workers } from "./en/workers";

export const text = {
  actionSentence,
  audit,
  board,
  frame,
  job,
  jobs,
  keys,
  limits,
  login,
  newJob,
  nothing,
  palette,
  parts,
  releases,
  run,
  runs,
  schedules,
  search,
  server,
  states,
  workers,
};
