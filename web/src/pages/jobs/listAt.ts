import { withParams } from "../../route";
import { namesFlow } from "./query";

/** The address of the list that a query finds, with the flow where it does not name it. */
export const listAt = (query: string, flow: string | null) =>
  withParams("jobs", { q: query, flow: namesFlow(query) ? null : flow });
