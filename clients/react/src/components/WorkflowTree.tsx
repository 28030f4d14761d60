/** The tasks of a workflow as a tree: arrows, Home and End move, Enter or a press selects. */
import { type KeyboardEvent, memo, type ReactNode, useMemo, useRef, useState } from "react";
import { rollUp } from "../rollup";
import { moveOf, type TaskLine, rowsOf } from "../rows";
import { type TaskNode, type TaskState, taskOf } from "../workflow";
import type { WorkflowState } from "../workflowWatch";
import { useWords } from "../words";

export interface WorkflowTreeProps {
  readonly state: WorkflowState;
  /** The path of the task that is shown elsewhere. */
  readonly selected?: string | null;
  readonly onSelect?: (path: string) => void;
  readonly label?: string;
}

export function WorkflowTree({ state, selected = null, onSelect, label }: WorkflowTreeProps): ReactNode {
  const words = useWords();
  const { tasks, statuses } = state;
  const [closed, setClosed] = useState<ReadonlySet<string>>(NONE);
  const [at, setAt] = useState<string | null>(null);
  const list = useRef<HTMLUListElement>(null);
  const rows = useMemo(() => rowsOf(tasks, closed), [tasks, closed]);
  const progress = useMemo(() => rollUp(tasks, statuses), [tasks, statuses]);
  const current = rows.some((row) => row.node.path === at) ? at : (rows[0]?.node.path ?? null);
  const toggle = (path: string) =>
    setClosed((before) => new Set(before.has(path) ? [...before].filter((one) => one !== path) : [...before, path]));
  const onKeyDown = (event: KeyboardEvent) => {
    if (current === null || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "Enter" || event.key === " ") {
      onSelect?.(current);
      event.preventDefault();
      return;
    }
    const move = moveOf(event.key, rows, current, closed);
    if (move === null) return;
    event.preventDefault();
    if (!("to" in move)) return toggle("close" in move ? move.close : move.open);
    setAt(move.to);
    list.current?.querySelector<HTMLElement>(`[data-path="${CSS.escape(move.to)}"]`)?.focus();
  };
  if (rows.length === 0) return null; // a tree without tasks is none for screen readers
  return (
    <ul ref={list} className="flows-tree" role="tree" aria-label={label ?? words.tasks} onKeyDown={onKeyDown}>
      {rows.map((row) => {
        const { path, tasks: below } = row.node;
        return (
          <TaskRow
            key={path}
            row={row}
            task={taskOf(statuses, path)}
            progress={progress.get(path) ?? 0}
            open={below.length > 0 ? !closed.has(path) : undefined}
            selected={path === selected}
            current={path === current}
            onPress={(toggled) => {
              setAt(path);
              if (toggled) toggle(path);
              else onSelect?.(path);
            }}
          />
        );
      })}
    </ul>
  );
}

const NONE: ReadonlySet<string> = new Set();

interface TaskRowProps {
  row: TaskLine<TaskNode>;
  task: TaskState;
  progress: number;
  /** Whether what is below it is shown; undefined: there is nothing. */
  open: boolean | undefined;
  selected: boolean;
  current: boolean;
  onPress: (toggled: boolean) => void;
}

const TaskRow = memo(
  ({ row, task, progress, open, selected, current, onPress }: TaskRowProps) => {
    const words = useWords();
    const { name, path, description } = row.node;
    const said = words.statuses[task.status];
    const note = task.message || task.because || description;
    return (
      <li
        className="flows-task"
        role="treeitem"
        data-path={path}
        data-status={task.status}
        data-stale={task.stale || undefined}
        aria-level={row.level}
        aria-posinset={row.place}
        aria-setsize={row.siblings}
        aria-expanded={open}
        aria-selected={selected}
        tabIndex={current ? 0 : -1}
        style={{ paddingInlineStart: `${row.level * 1.25}em` }}
        onClick={() => onPress(false)}
      >
        {open !== undefined && (
          <span
            className="flows-toggle"
            aria-hidden="true"
            onClick={(event) => {
              event.stopPropagation();
              onPress(true);
            }}
          >
            {open ? "▾" : "▸"}
          </span>
        )}
        <bdi className="flows-name">{name}</bdi>
        <span className="flows-status">{task.stale ? `${said}, ${words.stale}` : said}</span>
        {note && <bdi className="flows-note">{note}</bdi>}
        <span className="flows-percent">{words.percent(Math.floor(100 * progress))}</span>
      </li>
    );
  },
  // What is pressed is found by its path: a new function in each render changes nothing that is seen.
  (a, b) =>
    a.row.node === b.row.node &&
    a.row.level === b.row.level &&
    a.row.place === b.row.place &&
    a.row.siblings === b.row.siblings &&
    a.task === b.task &&
    a.progress === b.progress &&
    a.open === b.open &&
    a.selected === b.selected &&
    a.current === b.current,
);
TaskRow.displayName = "TaskRow";
