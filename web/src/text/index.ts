/**
 * Every text of the dashboard, by page: `import * as text`, so that what a page says comes with the page. A further
 * language is a further folder with the same names.
 */
export { actionSentence } from "./en/actions";
export { audit } from "./en/audit";
export { board } from "./en/board";
export { frame } from "./en/frame";
export { job } from "./en/job";
export { jobs } from "./en/jobs";
export { keys } from "./en/keys";
export { limits } from "./en/limits";
export { login, nothing } from "./en/login";
export { newJob } from "./en/newJob";
export { palette } from "./en/palette";
export { parts } from "./en/parts";
export { releases } from "./en/releases";
export { run } from "./en/run";
export { runs } from "./en/runs";
export { schedules } from "./en/schedules";
export { search } from "./en/search";
export { server } from "./en/server";
export { states } from "./en/states";
export { tree, trees } from "./en/trees";
export { workers } from "./en/workers";
