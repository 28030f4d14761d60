/** The messages of `flows.live.1`, as docs/server.md tells them; each is a JSON object in a text frame. */

export const SUBPROTOCOL = "flows.live.1";
/** Topics of one connection. */
export const MOST_TOPICS = 100;
/** Messages to the server in a second: it closes at more than 20. */
export const MOST_MESSAGES = 15;

/** How the server closes. */
export const NO_TOKEN = 4401;
/** The server goes: come back after a random 0 to 5 s. */
export const GOING = 1012;

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [name: string]: Json;
}

export type ClientMessage =
  | { type: "authenticate"; token: string }
  | { type: "watchTopic"; topic: string; cursor?: string }
  | { type: "unwatchTopic"; topic: string };

export type ErrorCode =
  "unauthenticated" | "forbidden" | "unknown" | "invalid" | "too_many" | "too_large" | "busy" | "again";

/** Why a topic is not watched any more; the message is a sentence for people. */
export interface TopicError {
  readonly code: ErrorCode;
  readonly message: string;
}

/** Times in ms. `from` 0: `state` is all of it; else it is a merge patch of the state of revision `from`. */
export interface TopicState {
  readonly type: "topicState";
  readonly topic: string;
  readonly from: number;
  readonly rev: number;
  readonly cursor: string;
  readonly at: number;
  readonly awaySince?: number;
  readonly state: JsonObject;
}

export type ServerMessage =
  | TopicState
  | { type: "hello"; protocol: number; beat: number; auth: "token" | "none" }
  | { type: "tokenEnds"; ms: number }
  | { type: "appError"; error: TopicError; topic?: string }
  | { type: "beat" };

/** What reads JSON; one of your own may keep what `JSON.parse` rounds. */
export type Parse = (text: string) => unknown;

/** Returns the message of a frame, or null where it is none: a newer server may say what we do not know. */
export function readMessage(text: string, parse: Parse = JSON.parse): ServerMessage | null {
  try {
    const message = parse(text);
    return typeof message === "object" && message !== null && "type" in message ? (message as ServerMessage) : null;
  } catch {
    return null;
  }
}
