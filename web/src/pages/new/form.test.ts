import { expect, test } from "vitest";
import { faultsOf } from "./checks";
import { jobsOf } from "./lines";
import { linesOf, nameOf, valueAt, withValue, writtenOf } from "./places";
import { fieldsOf, startOfAll, type Json } from "./schema";

const text = { type: "string" };
const SCHEMA = {
  $defs: {
    Line: {
      type: "object",
      title: "Line",
      required: ["sku", "quantity", "price"],
      properties: {
        sku: text,
        quantity: { type: "integer", minimum: 1 },
        price: { anyOf: [{ type: "number" }, { type: "string", pattern: "^-?\\d+(\\.\\d+)?$" }] },
      },
    },
    Node: {
      type: "object",
      title: "Node",
      properties: { next: { anyOf: [{ $ref: "#/$defs/Node" }, { type: "null" }] } },
    },
  },
  type: "object",
  required: ["invoice_no", "customer", "lines"],
  properties: {
    invoice_no: { ...text, pattern: "^\\d{4}-\\d+$", description: "4 digits, a dash, a number" },
    currency: { enum: ["EUR", "CHF"], default: "EUR" },
    customer: {
      type: "object",
      title: "Customer",
      required: ["email"],
      properties: { email: { ...text, format: "email" } },
    },
    lines: { type: "array", items: { $ref: "#/$defs/Line" }, minItems: 1, maxItems: 200 },
    due: { anyOf: [{ type: "string", format: "date" }, { type: "null" }], default: null },
    notes: { anyOf: [{ ...text, maxLength: 2000 }, { type: "null" }], default: null },
    either: { anyOf: [text, { type: "array", items: text }], default: "" },
    tree: { $ref: "#/$defs/Node", default: {} },
    made: text,
  },
};
const fields = fieldsOf(SCHEMA);
const of = (name: string) => fields.find((field) => field.name === name)!;

test("reads what the fields of a schema are, those first that are needed", () => {
  expect(fields.map((field) => [field.name, field.kind, field.type])).toEqual([
    ["invoice_no", "text", "str"],
    ["customer", "object", "Customer"],
    ["lines", "list", "list[Line]"],
    ["currency", "choice", "enum: EUR, CHF"],
    ["due", "text", "date | None"],
    ["made", "text", "str"],
    ["notes", "long", "str · up to 2000 | None"],
    ["either", "json", "Any"],
    ["tree", "object", "Node"],
  ]);
  expect(of("lines").item!.fields.map((field) => field.type)).toEqual(["str", "int ≥ 1", "Decimal"]);
  expect([of("due").nullable, of("due").required, of("invoice_no").help]).toEqual([
    true,
    false,
    "4 digits, a dash, a number",
  ]);
});

test("ends where a schema contains itself", () => {
  let field = of("tree");
  for (let n = 0; field.kind === "object"; n++) {
    expect(n).toBeLessThan(10);
    field = field.fields[0]!;
  }
  expect(field.kind).toBe("json");
});

test("begins with defaults and with what is empty; what the flow's code fills in is left out", () => {
  expect(startOfAll(fields)).toEqual({
    invoice_no: "",
    currency: "EUR",
    customer: { email: "" },
    lines: [{ sku: "", quantity: null, price: "" }],
    due: null,
    notes: null,
    either: "",
    tree: {},
  });
});

test("tells each value that is wrong at its place", () => {
  const given: { [name: string]: Json } = {
    invoice_no: "26",
    currency: "USD",
    customer: { email: "nobody" },
    due: "soon",
    more: 1,
    either: [],
    lines: [
      { sku: "A", quantity: 0, price: "x" },
      { quantity: 1.5, price: 2 },
    ],
  };
  expect(faultsOf(fields, given).map((fault) => `${nameOf(fault.place)}: ${fault.message}`)).toEqual([
    "invoice_no: must match ^\\d{4}-\\d+$",
    "customer.email: is no email address: the “@” is missing",
    "lines[0].quantity: must be 1 or more; it is 0",
    "lines[0].price: has to be a number",
    "lines[1].sku: is missing",
    "lines[1].quantity: has to be a whole number",
    "currency: has to be one of the choices",
    "due: is no date such as 2026-12-10",
    "more: there is no such field",
  ]);
  expect(
    faultsOf(fields, { invoice_no: "2026-1", customer: { email: "a@b" }, lines: [] }).map((one) => one.message),
  ).toEqual(["needs 1 or more"]);
});

test("sets, takes away and reads values at places", () => {
  const value = { a: { b: [1, 2] } };
  expect(withValue(value, ["a", "b", 1], 3)).toEqual({ a: { b: [1, 3] } });
  expect(withValue(value, ["a", "b", 0], undefined)).toEqual({ a: { b: [2] } });
  expect(withValue(value, ["c", 0, "d"], "x")).toEqual({ a: { b: [1, 2] }, c: [{ d: "x" }] });
  expect(value).toEqual({ a: { b: [1, 2] } });
  expect([valueAt(value, ["a", "b", 1]), valueAt(value, ["x", "y"]), valueAt(value, ["__proto__"])]).toEqual([
    2,
    undefined,
    undefined,
  ]);
});

test("writes JSON in lines that know their places", () => {
  const value = { a: 1, list: [{ b: 2, c: "x" }], empty: [] };
  expect(writtenOf(value)).toBe('{\n  "a": 1,\n  "list": [\n    {"b": 2, "c": "x"}\n  ],\n  "empty": []\n}');
  expect(JSON.parse(writtenOf(value))).toEqual(value);
  expect(linesOf(value)[3]!.place).toEqual(["list", 0]);
});

test("reads many jobs, as JSON or as rows of a sheet", () => {
  expect(
    jobsOf('{"a": 1}\n\n[1]\n{"a"', fields, "no object").map((one) => [one.line, one.params, one.wrong !== null]),
  ).toEqual([
    [1, { a: 1 }, false],
    [3, null, true],
    [4, null, true],
  ]);
  expect(jobsOf('invoice_no,lines,notes\n2026-1,"[{""sku"":""A""}]",5\n', fields, "").map((one) => one.params)).toEqual(
    [{ invoice_no: "2026-1", lines: [{ sku: "A" }], notes: "5" }],
  );
  expect(jobsOf("", fields, "")).toEqual([]);
});
