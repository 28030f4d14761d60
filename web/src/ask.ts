/** Asks the server: each operation by its name, with the types that `flows types --ts` has made of it. */
import type { Operations } from "@typed-flows/react";
import { readJson, writeJson } from "./exact";

export type OperationName = keyof Operations & string;
export type Params<Name extends OperationName> = Operations[Name]["params"];
export type Answer<Name extends OperationName> = Operations[Name]["answer"];

type NamesOf<Method> = {
  [Name in OperationName]: Operations[Name]["method"] extends Method ? Name : never;
}[OperationName];
export type Reading = NamesOf<"GET">;
export type Acting = NamesOf<"POST">;

/** What the server has refused, in its own sentence (RFC 9457). */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly type: string,
    readonly detail: string,
    /** What is wrong with which value of what was sent: names of members and numbers of items lead to it. */
    readonly errors: { place: (string | number)[]; message: string }[] = [],
  ) {
    super(detail);
  }
  /** Whether the server or what is behind it does not answer at the moment. */
  get isAway() {
    return this.status === 0 || this.status === 502 || this.status === 503 || this.status === 504;
  }
}

const away = () => new Problem(0, "Away", "");

/** Fetches from the server, relative to the prefix; raises a Problem unless it answers that it is well. */
export async function fetchFrom(path: string, init: RequestInit = {}): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(new URL(path, document.baseURI), { credentials: "same-origin", ...init });
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw away();
  }
  if (response.ok) return response;
  const told: { type?: string; detail?: string; title?: string; errors?: Problem["errors"] } = await response
    .json()
    .catch(() => ({}));
  if (response.status === 401) dispatchEvent(new Event("flows:unauthenticated"));
  throw new Problem(response.status, told.type ?? "", told.detail ?? told.title ?? response.statusText, told.errors);
}

const pathOf = (name: string) => `api/v1/${name.replace(".", "/")}`;

/** Asks an operation that looks. */
export async function ask<Name extends Reading>(
  name: Name,
  params: Params<Name>,
  signal?: AbortSignal,
): Promise<Answer<Name>> {
  const response = await fetchFrom(
    `${pathOf(name)}?${queryOf(params as Record<string, unknown>)}`,
    signal ? { signal } : {},
  );
  return readJson(await response.text()) as Answer<Name>;
}

/** Asks for an operation that acts. */
export async function act<Name extends Acting>(name: Name, params: Params<Name>): Promise<Answer<Name>> {
  const response = await post(pathOf(name), params);
  return readJson(await response.text()) as Answer<Name>;
}

/** Sends JSON, with the header by which the server knows that no other site has sent it. */
export function post(path: string, body: unknown): Promise<Response> {
  return fetchFrom(path, {
    method: "POST",
    headers: { "content-type": "application/json", "x-flows": "1" },
    body: writeJson(body),
  });
}

/** Params in an address: lists as repeated names, objects as JSON, what is null left out. */
export function queryOf(params: Record<string, unknown>): string {
  const pairs = Object.entries(params).flatMap(([name, value]) =>
    value === null || value === undefined
      ? []
      : Array.isArray(value)
        ? value.map((one) => [name, String(one)])
        : [[name, typeof value === "object" ? writeJson(value) : String(value)]],
  );
  return new URLSearchParams(pairs as [string, string][]).toString();
}
