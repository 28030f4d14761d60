import { expect, test } from "vitest";
import { integerOf, readJson, writeJson } from "./exact";

test("large integers come and go as they are written", () => {
  const json =
    '{"a":9007199254740993,"b":[-99999999999999999999,1,0.5],"c":"9007199254740993","d\\" 9007199254740993":1e20}';
  const value = readJson(json) as Record<string, unknown>;
  expect(value["a"]).toBe(9007199254740993n);
  expect(value["c"]).toBe("9007199254740993");
  expect(writeJson(value)).toBe(json.replace("1e20", "100000000000000000000"));
  expect(writeJson(value, 2)).toContain('"a": 9007199254740993,');
  expect([integerOf("12"), integerOf("9007199254740993")]).toEqual([12, 9007199254740993n]);
});

test("what is no number is refused, and what is long is read", () => {
  expect(() => readJson("[1e400]")).toThrow("1e400 is beyond");
  expect(() => readJson("[9007199254740993")).toThrow(SyntaxError);
  const long = `${"x\\n".repeat(2_000_000)}`;
  expect(readJson(`["${long}",9007199254740993]`)).toHaveLength(2);
  expect(writeJson(undefined)).toBe("null");
});
