export { type Connection, FlowsClient, type Topic } from "./client";
export { applyPatch } from "./merge";
export { type Live, plain } from "./plain";
export type { ErrorCode, Json, JsonObject, TopicError } from "./protocol";
export { FlowsProvider, type FlowsProviderProps, useConnection, useFlowsClient, useTopic } from "./react";
export { rollUp, type Statuses, type TaskNode, type TaskState, type TaskStatus } from "./rollup";
export type { SocketOptions, Status } from "./socket";
export type * from "./types";
