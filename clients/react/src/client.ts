/** The client without React: all that a page may watch and do, as methods. */
import { cancel, execute, resultOf } from "./commands";
import { Core, listenTo } from "./core";
import { logOf, watchLog } from "./logs";
import type { ExecuteOptions, LogLine } from "./protocol";
import { setPaused } from "./still";
import { type Topic, topicOf, watchTopic } from "./topic";
import { watchWorkflow, workflowOf, type WorkflowState } from "./workflowWatch";

export class FlowsClient extends Core {
  /** Returns a topic as it is now. */
  topic = <T>(topic: string): Topic<T> => topicOf<T>(this, topic);
  /** Returns a workflow as it is now. */
  workflow = (id: string): WorkflowState => workflowOf(this, id);
  /** Returns what is known of the log of a task that `watchLog` watches. */
  log = (id: string, path: string): readonly LogLine[] => logOf(this, id, path);
  /** Calls `listener` whenever a topic has changed; returns how to stop that. */
  watchTopic = (topic: string, listener: () => void): (() => void) => watchTopic(this, topic, listener);
  /** Calls `listener` whenever a workflow has changed; returns how to stop that. */
  watchWorkflow = (id: string, listener: () => void): (() => void) => watchWorkflow(this, id, listener);
  /** Calls `listener` whenever a workflow or this task's log has changed; returns how to stop that. */
  watchLog = (id: string, path: string, listener: () => void): (() => void) => watchLog(this, id, path, listener);
  /**
   * Execute a task, a group, or `#` for all of a workflow; returns the execution's id. What was sent and not answered
   * before the connection was cut is sent again, and done once. Rejects with `Refused`, as the next two do.
   */
  execute = (id: string, path: string, options?: ExecuteOptions): Promise<string> => execute(this, id, path, options);
  /** Cancel the execution that is under way. */
  cancel = (id: string): Promise<void> => cancel(this, id);
  /** Returns the result of a task. */
  result = (id: string, path: string): Promise<unknown> => resultOf(this, id, path);
  /** Calls `listener` whenever the connection has changed; returns how to stop that. */
  listen = (listener: () => void): (() => void) => listenTo(this, listener);
  /** Let what is shown stand still, or go on with what has changed meanwhile. */
  setPaused = (paused: boolean): void => setPaused(this, paused);
}
