/** The rows of a tree as it is shown: what stands below a closed task is left out. Pure. */

/** What has others of its kind below it. */
export interface Branch {
  readonly path: string;
  readonly tasks: readonly Branch[];
}

export interface TaskLine<Node extends Branch> {
  readonly node: Node;
  /** From 1. */
  readonly level: number;
  /** Its place among its siblings, from 1, and how many they are. */
  readonly place: number;
  readonly siblings: number;
  readonly parent: string | null;
}

/** Returns the rows from the top down, without those below tasks whose path is in `closed`. */
export function rowsOf<Node extends Branch>(tasks: readonly Node[], closed: ReadonlySet<string>): TaskLine<Node>[] {
  const rows: TaskLine<Node>[] = [];
  const walk = (nodes: readonly Node[], level: number, parent: string | null) => {
    nodes.forEach((node, n) => {
      rows.push({ node, level, place: n + 1, siblings: nodes.length, parent });
      if (!closed.has(node.path)) walk(node.tasks as readonly Node[], level + 1, node.path);
    });
  };
  walk(tasks, 1, null);
  return rows;
}

/** What a key does in a tree, as WAI-ARIA has it: go to a path, close or open the one that has the focus, or nothing. */
export type Move = { to: string } | { close: string } | { open: string } | null;

export function moveOf(key: string, rows: readonly TaskLine<Branch>[], at: string, closed: ReadonlySet<string>): Move {
  const n = rows.findIndex((row) => row.node.path === at);
  const row = rows[n];
  if (row === undefined) return null;
  const to = (other: TaskLine<Branch> | undefined): Move => (other ? { to: other.node.path } : null);
  const { path, tasks } = row.node;
  switch (key) {
    case "ArrowDown":
      return to(rows[n + 1]);
    case "ArrowUp":
      return to(rows[n - 1]);
    case "Home":
      return to(rows[0]);
    case "End":
      return to(rows.at(-1));
    case "ArrowRight":
      if (tasks.length === 0) return null;
      return closed.has(path) ? { open: path } : to(rows[n + 1]);
    case "ArrowLeft":
      if (tasks.length > 0 && !closed.has(path)) return { close: path };
      return row.parent === null ? null : { to: row.parent };
    default:
      return null;
  }
}
