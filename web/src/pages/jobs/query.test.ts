import { expect, test } from "vitest";
import { corrections, looksInto, namesFlow, namesIds, quoted, stillFits, valuesOf, withWord, wordsOf } from "./query";

const row = (state: string, queue = "role") => ({ state, queue }) as Parameters<typeof stillFits>[1];

test("reads words, with quotation marks and signs", () => {
  expect(wordsOf('flow:access -state:done "a b":"x y"|z or')).toEqual([
    { text: "flow:access", name: "flow", values: ["access"], negated: false },
    { text: "-state:done", name: "state", values: ["done"], negated: true },
    { text: '"a b":"x y"|z', name: "a b", values: ["x y", "z"], negated: false },
    { text: "or", name: "or", values: [], negated: false },
  ]);
  expect(wordsOf('"')).toHaveLength(1);
  expect(wordsOf("  ")).toEqual([]);
});

test("puts another word in the place of those of its name, in each alternative", () => {
  expect(withWord("flow:a state:failed since:2h", "state", "done")).toBe("flow:a since:2h state:done");
  expect(withWord("flow:a state:failed", "state", null)).toBe("flow:a");
  expect(withWord("user:1 state:failed or user:2", "state", "done")).toBe("user:1 state:done or user:2 state:done");
});

test("knows whether a job fits still", () => {
  expect(stillFits("state:failed queue:role", row("failed"))).toBe(true);
  expect(stillFits("state:failed", row("waiting"))).toBe(false);
  expect(stillFits("-state:done", row("done"))).toBe(false);
  expect(stillFits("queue:role", row("failed", "other"))).toBe(false);
  expect(stillFits("state:failed or user:1", row("waiting"))).toBe(true);
});

test("knows what a query names", () => {
  expect(valuesOf("state:failed|done", "state")).toEqual(["failed", "done"]);
  expect([looksInto("error:X"), looksInto("since:1h"), looksInto("state:failed")]).toEqual([true, true, false]);
  expect([namesFlow("flow:a"), namesFlow("user:1"), namesIds("id:1")]).toEqual([true, false, true]);
});

test("offers what a query may have meant", () => {
  const lookups = ["order", "user_id", "email"];
  expect(corrections("state:failed user:62", lookups)[0]).toBe("state:failed user_id:62");
  expect(corrections("emial:a@b|c", lookups)[0]).toBe("email:a@b|c");
  expect(corrections("62", lookups)).toEqual(["order:62", "user_id:62", "email:62"]);
  expect([corrections("user_id:1 or state:done", lookups), corrections("a:1", [])]).toEqual([[], []]);
});

test("writes one argument of a shell", () => {
  expect([quoted("state:failed"), quoted("a 'b'")]).toEqual(["state:failed", `'a '\\''b'\\'''`]);
});
