/** The flow that the page is about: of the address, of the search, or the one chosen last; the first page is of all. */
import { useEffect } from "react";
import { useRoute } from "../route";

const KEY = "flows.flow";

export function useFlow(flows: readonly string[]): string | null {
  const { path, params } = useRoute();
  const all = path === "";
  const inPath = /^flows\/([^/]+)/.exec(path)?.[1];
  const said = inPath
    ? decodeURIComponent(inPath)
    : (params.get("flow") ?? /(?:^|\s)flow:(\S+)/.exec(params.get("q") ?? "")?.[1] ?? null);
  useEffect(() => {
    if (said) sessionStorage.setItem(KEY, said);
    else if (all) sessionStorage.removeItem(KEY);
  }, [said, all]);
  const chosen = all ? null : (said ?? sessionStorage.getItem(KEY));
  if (chosen && flows.includes(chosen)) return chosen;
  return flows.length === 1 ? flows[0]! : null;
}
