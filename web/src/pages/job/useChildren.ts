/** The children of a job, a page of 100 at a time, as they are now. */
import { useTopic, type ChildrenPage, type Live } from "@typed-flows/react";
import { useState } from "react";
import { withParams } from "../../route";

export const PAGE = 100;

export interface ChildrenOf {
  page: Live<ChildrenPage> | null;
  /** How many lie before this page. */
  from: number;
  go: (from: number) => void;
}

export function useChildren(flow: string | null, id: string): ChildrenOf {
  const [from, go] = useState(0);
  const topic =
    flow === null
      ? null
      : withParams(`children/${flow}/${id}`, { cursor: from ? String(from) : "", limit: String(PAGE) });
  const { state } = useTopic<ChildrenPage>(topic);
  return { page: state, from, go };
}
