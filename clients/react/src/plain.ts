/**
 * The server sends a list of things with names as an object by name, with the order in `#order`, so that one thing can
 * be patched. Here it becomes a list again.
 */
import { isArray, isObject, own } from "./merge";
import type { Json, JsonObject } from "./protocol";

export const ORDER = "#order";

/**
 * `T` as it is watched. The server leaves out members that are null, so what may be null may also be missing: compare
 * by `== null`. A `T` is a `Live<T>`, so a component that takes the latter takes answers of operations too.
 */
export type Live<T> = T extends readonly (infer Member)[]
  ? ReadonlyArray<Live<Member>>
  : T extends object
    ? { readonly [Name in keyof T as null extends T[Name] ? never : Name]: Live<T[Name]> } & {
        readonly [Name in keyof T as null extends T[Name] ? Name : never]?: Live<T[Name]>;
      }
    : T;

/** What was made of an object stays with it, so that unchanged parts of a state are the same objects. */
const made = new WeakMap<object, Json>();

/** Returns a watched state with its lists; the same result for the same state. */
export function plain(state: Json): Json {
  if (!isObject(state) && !isArray(state)) return state;
  let result = made.get(state);
  if (result === undefined) {
    result = isArray(state) ? listed(state) : (inOrder(state) ?? byName(state));
    made.set(state, result);
  }
  return result;
}

function listed(state: readonly Json[]): Json {
  const members = state.map(plain);
  return members.every((member, n) => member === state[n]) ? state : members;
}

function byName(state: JsonObject): Json {
  const members = Object.entries(state).map(([name, member]) => [name, plain(member)] as const);
  return members.every(([name, member]) => member === own(state, name)) ? state : Object.fromEntries(members);
}

/** Returns the members in their order, or null where the object is none of ours: data may have any member. */
function inOrder(state: JsonObject): readonly Json[] | null {
  const names = own(state, ORDER);
  if (!isArray(names) || names.length !== Object.keys(state).length - 1) return null;
  const members: Json[] = [];
  for (const name of names) {
    const member = typeof name === "string" ? own(state, name) : undefined;
    if (!isObject(member)) return null;
    members.push(plain(member));
  }
  return members;
}
