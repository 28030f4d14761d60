/**
 * The types of results by path. `flows trees types` writes a `.d.ts` that adds to it, so that
 * `useTaskResult(id, "#.fetch")` is what `fetch` returns.
 */
// In a file of its own: only what comes by `export *` can be added to from outside.
export interface TaskResults {}
