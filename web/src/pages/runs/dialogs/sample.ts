/** What a value of a JSON schema may look like: its members with their defaults, or empty ones. Pure. */
const EMPTY: Record<string, unknown> = { string: "", integer: 0, number: 0, boolean: false, array: [], object: {} };

export function sample(schema: { readonly [name: string]: unknown } | null | undefined): unknown {
  const members = schema?.properties as Record<string, Record<string, unknown>> | undefined;
  if (!members) return EMPTY[String(schema?.type)] ?? null;
  return Object.fromEntries(
    Object.entries(members).map(([name, one]) => [name, one.default ?? EMPTY[String(one.type)] ?? null]),
  );
}
