import { describe, expect, it } from "vitest";
import { complete, flowOf, type Known } from "../src/search/completion";
import { partsOf, quoted, withFlow, wordsOf } from "../src/search/words";

describe("a query", () => {
  it.each([
    ["user_id:62 state:failed", ["user_id:62", "state:failed"]],
    ['  name:"a b"  -state:done|failed ', ['name:"a b"', "-state:done|failed"]],
    ['note:"say \\"hi there\\"" x', ['note:"say \\"hi there\\""', "x"]],
    ['note:"not yet closed', ['note:"not yet closed']],
    ["", []],
  ])("%s has its words", (query, words) => expect(wordsOf(query)).toEqual(words));

  it.each([
    ["user_id:6", { name: "user_id", before: "user_id:", value: "6" }],
    ["-state:done|fa", { name: "-state", before: "-state:done|", value: "fa" }],
    ['"a:b":"c | d', { name: '"a:b"', before: '"a:b":', value: "c | d" }],
    ["state:", { name: "state", before: "state:", value: "" }],
    ["user", null],
  ])("%s has its parts", (word, parts) => expect(partsOf(word)).toEqual(parts));

  it("quotes what would be taken for something else", () => {
    expect(["62", "a b", "a|b", "#x", 'say "hi"', ""].map(quoted)).toEqual([
      ...["62", '"a b"', '"a|b"', '"#x"', '"say \\"hi\\""', '""'],
    ]);
  });

  it("names its flow once", () => {
    expect(withFlow(["state:failed"], "shop")).toBe("flow:shop state:failed");
    expect(withFlow(["flow:mails"], "shop")).toBe("flow:mails");
    expect(withFlow([], null)).toBe("");
  });
});

describe("a word may become", () => {
  const shop = { name: "shop", own: false, queues: 2, lookups: ["user_id", "region"], seen: null, releases: 1 };
  const mails = { ...shop, name: "mails", lookups: ["user_id"] };
  const queues = [
    { name: "shop-check", flow: "shop" },
    { name: "shop-price", flow: "shop" },
  ];
  const known: Known = { flows: [shop, mails], of: [shop], queues, values: ["62", "620", "7"] };
  const words = (word: string) => complete(word, known).found.map((one) => one.word);

  it("a name, of what jobs carry first", () => {
    expect(words("")[0]).toBe("user_id:");
    expect(words("s")).toEqual(["state:", "since:", "user_id:"]);
  });
  it("a value under each name, where it is no name", () => expect(words("62")).toEqual(["user_id:62", "region:62"]));
  it("a state, also one of several", () => {
    expect(words("state:fa")).toEqual(["state:failed"]);
    expect(words("-state:done|ca")).toEqual(["-state:done|cancelled"]);
  });
  it("a queue of the flow", () => expect(words("queue:pri")).toEqual(["queue:shop-price"]));
  it("a value that jobs have", () => expect(words("user_id:6")).toEqual(["user_id:62", "user_id:620"]));
  it("nothing, where it is an id", () => expect(words("0192f0c1-0000-7000-8000-000000000001")).toEqual([]));

  it("the flow that it can only be of", () => {
    const all = { of: [shop, mails], queues };
    const flow = (query: string) => flowOf(wordsOf(query), all);
    expect([flow("region:north"), flow("queue:shop-price"), flow("user_id:62 state:failed")]).toEqual([
      ...["shop", "shop", null],
    ]);
  });

  it("what Enter takes: a known state, never a value that was not typed", () => {
    const first = (word: string) => complete(word, known).first;
    expect([first("state:fa"), first("sta"), first("62")]).toEqual([true, true, true]);
    expect([first("state:failed"), first("user_id:6"), first("")]).toEqual([false, false, false]);
  });
});
