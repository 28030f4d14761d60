import { expect, test } from "vitest";
import { createJob, literal } from "./python";

test("writes values as Python does", () => {
  expect(literal({ a: [1, true, null], "b c": 'x"y\u202e' })).toBe('{"a": [1, True, None], "b c": "x\\"y\\u202e"}');
  expect(literal([])).toBe("[]");
});

test("writes the call that creates a job", () => {
  expect(createJob("shop", "Order", { customer: 7 })).toBe("await shop.create_job(Order(customer=7))");
  expect(createJob("my-shop", "Order", {}, { priority: "2" })).toBe("await my_shop.create_job(Order(), priority=2)");
  expect(createJob("shop", "Order", { class: 1 })).toBe('await shop.create_job(Order(**{"class": 1}))');
});

test("breaks what is long", () => {
  const long = createJob("shop", "Order", { text: "x".repeat(80), more: ["y".repeat(60), "z".repeat(60)] });
  expect(long.split("\n").every((line) => line.length < 120)).toBe(true);
  expect(long.startsWith("await shop.create_job(\n    Order(\n")).toBe(true);
});
