import { expect, it } from "vitest";
import { hold, newer } from "./held";

it("keeps places, takes what is new of each, and greys what matches no more", () => {
  const shown = {
    rows: [
      { id: "3", n: 0 },
      { id: "2", n: 0 },
    ],
    gone: new Set<string>(),
  };
  const told = [
    { id: "5", n: 1 },
    { id: "3", n: 1 },
    { id: "1", n: 1 },
  ];
  expect(hold(shown, told)).toEqual({
    rows: [
      { id: "3", n: 1 },
      { id: "2", n: 0 },
    ],
    gone: new Set(["2"]),
  });
  expect(newer(shown, told)).toBe(1);
});
