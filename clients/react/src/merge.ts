/**
 * JSON merge patches (RFC 7396) that keep what they do not change: an object or array that is equal afterwards is the
 * same one, so that what was drawn from it need not be drawn again.
 */
import type { Json, JsonObject } from "./protocol";

/** Returns what a state becomes by a patch; the same object where the patch changes nothing. */
export function applyPatch(state: JsonObject, patch: JsonObject): JsonObject {
  let changed = false;
  const merged = new Map<string, Json>(Object.entries(state));
  for (const [name, member] of Object.entries(patch)) {
    if (member === null) {
      changed = merged.delete(name) || changed;
      continue;
    }
    const before = merged.get(name);
    const after = isObject(member) ? applyPatch(isObject(before) ? before : NONE, member) : share(before, member);
    if (after === before) continue;
    // A new object may not be the constant that it was made of.
    merged.set(name, after === NONE ? {} : after);
    changed = true;
  }
  // fromEntries, since by assignment a member `__proto__` would become a prototype.
  return changed ? Object.fromEntries(merged) : state;
}

/** Returns `new`, with all that equals `old` in the same place taken from `old`; `old` itself where they are equal. */
export function share(old: Json | undefined, next: Json): Json {
  if (old === next) return next;
  if (isArray(old) && isArray(next)) {
    const members = next.map((member, n) => share(old[n], member));
    return old.length === members.length && members.every((member, n) => member === old[n]) ? old : members;
  }
  if (isObject(old) && isObject(next)) {
    const members = Object.entries(next).map(([name, member]) => [name, share(own(old, name), member)] as const);
    const same =
      Object.keys(old).length === members.length && members.every(([name, member]) => member === own(old, name));
    return same ? old : Object.fromEntries(members);
  }
  return next;
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isArray(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

export function own(object: JsonObject, name: string): Json | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

const NONE: JsonObject = {};
