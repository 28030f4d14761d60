import { expect, it } from "vitest";
import { namesOf, paramsOf, parse, without } from "./query";

it("reads words, labels, and what is none", () => {
  const query = parse('app:imports realm:"a b" name:acme* customer:7 hello app:x customer:8 generator:');
  expect(query).toEqual({
    own: { app: "imports", realm: "a b", name: "acme*" },
    labels: { customer: "7" },
    wrong: ["hello", "app:x", "customer:8", "generator:"],
  });
  expect(without(query, "realm")).toBe("customer:7 app:imports name:acme*");
  expect(namesOf(query)).toHaveLength(4);
});

it("asks for what was given alone", () => {
  expect(paramsOf(parse(""), "all", 50)).toEqual({ limit: 50 });
  expect(paramsOf(parse("realm:acme x:1"), "failed", 5)).toEqual({
    realm: "acme",
    labels: { x: "1" },
    status: "failed",
    limit: 5,
  });
});
