/** One task: how it stands, its times, why it failed, its result and log, and a button that runs it. */
import { type ReactNode, useState } from "react";
import { useExecute, useTask, useTaskLog, useTaskResult, useWorkflow } from "../hooks";
import { useWords } from "../words";
import { Progress } from "./Progress";

export interface TaskPanelProps {
  readonly id: string;
  readonly path: string;
  /** Whether what is missing before the task is executed too. */
  readonly missing?: "error" | "run";
  readonly onClose?: () => void;
}

export function TaskPanel({ id, path, missing = "error", onClose }: TaskPanelProps): ReactNode {
  const task = useTask(id, path);
  const { status: whole } = useWorkflow(id);
  const { task: execute, cancel, pending, error } = useExecute(id);
  const words = useWords();
  const works = whole === "working";
  return (
    <section className="flows-panel" aria-label={path} data-status={task.status}>
      <header>
        <code>{path}</code>
        {onClose && (
          <button type="button" aria-label={words.close} onClick={onClose}>
            ×
          </button>
        )}
      </header>
      <p>
        <span className="flows-status">{words.statuses[task.status]}</span>
        {task.stale && <span className="flows-stale"> {words.stale}</span>}
        {task.because && <bdi> {task.because}</bdi>}
      </p>
      {task.status === "running" && (
        <Progress state={{ progress: task.progress ?? 0, status: "running" }} label={path} />
      )}
      {task.message && <bdi className="flows-note">{task.message}</bdi>}
      {task.error && (
        <p className="flows-error">
          <b>{task.error.type}</b> <bdi>{task.error.message}</bdi>
        </p>
      )}
      <dl>
        <Time name={words.queued} at={task.queued} />
        <Time name={words.began} at={task.started} />
        <Time name={words.ended} at={task.ended} />
        {(task.attempt ?? 0) > 1 && (
          <>
            <dt>{words.attempt}</dt>
            <dd>{task.attempt}</dd>
          </>
        )}
      </dl>
      <p>
        {works ? (
          <button type="button" disabled={pending} onClick={() => void cancel()}>
            {words.cancel}
          </button>
        ) : (
          <button type="button" disabled={pending} onClick={() => void execute(path, { missing })}>
            {words.run}
          </button>
        )}
      </p>
      {error && (
        <p className="flows-error" role="alert">
          <bdi>{error.message}</bdi>
        </p>
      )}
      <Result key={path} id={id} path={path} />
      <Log id={id} path={path} />
    </section>
  );
}

function Time({ name, at }: { name: string; at: number | undefined }) {
  if (at === undefined) return null;
  const time = new Date(at);
  return (
    <>
      <dt>{name}</dt>
      <dd>
        <time dateTime={time.toISOString()}>{time.toLocaleTimeString()}</time>
      </dd>
    </>
  );
}

/** So many characters of a result are shown at first. */
const SHORT = 400;

function Result({ id, path }: { id: string; path: string }) {
  const result = useTaskResult(id, path);
  const [whole, setWhole] = useState(false);
  const words = useWords();
  if (result === undefined) return null;
  const written = JSON.stringify(result, null, 1);
  return (
    <>
      <pre className="flows-result" tabIndex={0} aria-label={words.result}>
        {whole ? written : written.slice(0, SHORT)}
      </pre>
      {written.length > SHORT && (
        <button type="button" onClick={() => setWhole(!whole)}>
          {whole ? words.less : words.more(written.length - SHORT)}
        </button>
      )}
    </>
  );
}

function Log({ id, path }: { id: string; path: string }) {
  const lines = useTaskLog(id, path);
  const words = useWords();
  if (lines.length === 0) return null;
  return (
    <ol className="flows-log" tabIndex={0} aria-label={words.log}>
      {lines.map(([number, at, text]) => (
        <li key={number} value={number}>
          <time dateTime={new Date(at).toISOString()}>{new Date(at).toLocaleTimeString()}</time> <bdi>{text}</bdi>
        </li>
      ))}
    </ol>
  );
}
