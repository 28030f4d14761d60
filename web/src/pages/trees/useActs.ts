/** What may be done with a tree: each with the reason why it cannot be done now. */
import { useWhyNot } from "../../me";
import { copy } from "../../parts/copy";
import { useToast } from "../../parts/Toast";
import { useActing } from "../../parts/useActing";
import { setParams } from "../../route";
import * as text from "../../text";
import type { Which } from "./Dialogs";
import type { Standing, Tree } from "./stand";

export interface RunOptions {
  missing?: "error" | "run";
  subtree?: boolean;
  downstream?: boolean;
}

export type Acts = ReturnType<typeof useActs>;

export function useActs(tree: Tree, standing: Standing, old: boolean, open: (which: Which) => void) {
  const whyNot = useWhyNot();
  const toast = useToast();
  const { busy, run: acting } = useActing();
  const { off, begun, all } = text.tree;
  const away = old ? off.old : null;
  const works = standing.status === "working";
  const to = { id: tree.id, app: tree.app };
  const run = (path: string, options: RunOptions = {}) =>
    void acting("trees.execute", { ...to, path, ...options }, begun(path === "#" ? all : path));
  const runOff = away ?? whyNot("trees.execute") ?? (works ? off.working : null);
  return {
    copyLink: {
      run: () => void copy(location.href).then((done) => toast(done ? text.tree.linkCopied : text.parts.notCopied)),
    },
    runAll: { off: runOff, busy, run: () => run("#") },
    run: { off: runOff, busy, run },
    cancel: {
      off: away ?? whyNot("trees.cancel") ?? (works ? null : off.idle),
      run: () => open("cancel"),
    },
    edit: {
      off: away ?? whyNot("trees.update") ?? (tree.json_schema == null ? off.noCode : works ? off.workingData : null),
      run: () => setParams({ edit: "data" }),
    },
    rename: { off: away ?? whyNot("trees.update"), run: () => open("rename") },
    destroy: { off: away ?? whyNot("trees.destroy"), run: () => open("destroy") },
  };
}
