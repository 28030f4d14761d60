/** The words of a query, as they are typed: `user_id:62 -state:failed|cancelled name:"a b"`. */

const WORD = /(?:"(?:[^"\\]|\\.)*"?|[^\s"])+/g;
const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

/** Splits a query into its words; spaces between quotation marks belong to a word. */
export const wordsOf = (query: string): string[] => query.match(WORD) ?? [];

export const isId = (word: string): boolean => UUID.test(word);

/** A word in parts: `-state:failed|do` has the name `-state`, and `do` is what is being written. */
export function partsOf(word: string): { name: string; before: string; value: string } | null {
  const colon = /^(?:"(?:[^"\\]|\\.)*"|[^":])*:/.exec(word)?.[0];
  if (colon === undefined) return null;
  const value = /(?:"(?:[^"\\]|\\.)*"?|[^|"])*$/.exec(word.slice(colon.length))?.[0] ?? "";
  return { name: colon.slice(0, -1), before: word.slice(0, word.length - value.length), value: bare(value) };
}

/** A value as it stands in a query. */
export const quoted = (value: string): string =>
  value === "" || /[\s|"]/.test(value) || value.startsWith("#") ? JSON.stringify(value) : value;

function bare(value: string): string {
  return value.replace(/^"|(?<!\\)"$/g, "").replace(/\\(.)/g, "$1");
}

/** The query with its flow, which each query of the server has where there are several. */
export function withFlow(words: readonly string[], flow: string | null): string {
  const said = words.some((word) => word.startsWith("flow:"));
  return (flow !== null && !said ? [`flow:${flow}`, ...words] : words).join(" ");
}
