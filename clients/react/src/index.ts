export { FlowsClient } from "./client";
export { Refused } from "./commands";
export type { Connection } from "./core";
export { Jobify, type JobifyProps } from "./components/Jobify";
export { Progress, type ProgressProps } from "./components/Progress";
export { TaskPanel, type TaskPanelProps } from "./components/TaskPanel";
export { WorkflowTree, type WorkflowTreeProps } from "./components/WorkflowTree";
export {
  type Execute,
  useExecute,
  useMoments,
  useSmoothProgress,
  useTask,
  useTaskLog,
  useTaskResult,
  useWorkflow,
} from "./hooks";
export { applyPatch } from "./merge";
export type { Callbacks } from "./moments";
export { type Live, plain } from "./plain";
export type { ErrorCode, ExecuteOptions, Json, JsonObject, LogLine, TopicError } from "./protocol";
export { FlowsProvider, type FlowsProviderProps, useConnection, useFlowsClient, useTopic } from "./react";
export type * from "./results";
export { rollUp, type Weighed } from "./rollup";
export { type Branch, type Move, moveOf, rowsOf, type TaskLine } from "./rows";
export type { Expected } from "./smooth";
export type { SocketOptions, Status } from "./socket";
export type { Topic } from "./topic";
export type * from "./types";
export type { Statuses, TaskError, TaskNode, TaskState, TaskStatus, WorkflowStatus } from "./workflow";
export { ENGLISH, type Words } from "./words";
export type { WorkflowState } from "./workflowWatch";
