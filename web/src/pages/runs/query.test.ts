import { expect, it } from "vitest";
import { paramsOf, parse, word } from "./query";

it("reads words, quotes, and what is none", () => {
  expect(parse('workflow:checkout  order_id:7 name:"Ada L. \\"x\\"" tag:vip')).toEqual({
    workflow: "checkout",
    tag: "vip",
    lookup: { order_id: "7", name: 'Ada L. "x"' },
    wrong: [],
  });
  expect(parse("hello workflow: tag:a tag:b a:1 a:2").wrong).toEqual(["hello", "workflow:", "tag:b", "a:2"]);
  expect(parse(word("name", 'a "b" \\c')).lookup).toEqual({ name: 'a "b" \\c' });
});

it("asks for what was given alone", () => {
  expect(paramsOf(parse(""), "all", 50)).toEqual({ limit: 50 });
  expect(paramsOf(parse("workflow:a x:1"), "suspended", 5)).toEqual({
    workflow: "a",
    lookup: { x: "1" },
    status: ["suspended", "delayed"],
    limit: 5,
  });
});
