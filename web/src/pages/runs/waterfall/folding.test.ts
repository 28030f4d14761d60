import { describe, expect, it } from "vitest";
import { fold, type Span } from "./folding";

const S = 1000;
const DAY = 86_400 * S;
const ran = (from: number, to: number): Span => ({ from, to, busy: true });
const waited = (from: number, to: number): Span => ({ from, to, busy: false });

describe("fold", () => {
  it("leaves what is of one size as it is", () => {
    const { folds, place } = fold([ran(0, 100), ran(100, 200), waited(200, 220), ran(220, 400)]);
    expect(folds).toEqual([]);
    expect(place(200)).toBe(50);
  });

  it("lets no wait of days flatten milliseconds", () => {
    const spans = [ran(0, 40), waited(40, 3 * DAY), ran(3 * DAY, 3 * DAY + 60)];
    const { folds, place } = fold(spans);
    expect(folds).toHaveLength(1);
    expect(folds[0]!.ms).toBeGreaterThan(2.99 * DAY);
    expect(place(40) - place(0)).toBeGreaterThan(25);
    expect(place(3 * DAY + 60) - place(3 * DAY)).toBeGreaterThan(40);
  });

  it("folds a long run beside short ones, and draws both of its ends", () => {
    const { folds, mark: width, place } = fold([ran(0, 10), ran(10, 3600 * S), ran(3600 * S, 3600 * S + 20)]);
    expect(folds).toHaveLength(1);
    const [mark] = folds;
    expect(mark!.from).toBeGreaterThan(10);
    expect(mark!.to).toBeLessThan(3600 * S);
    expect(place(mark!.from)).toBeCloseTo(mark!.left);
    expect(place(mark!.to)).toBeCloseTo(mark!.left + width);
    expect(place(10)).toBeGreaterThan(5);
  });

  it("folds a time of waiting as one, whatever ends within it", () => {
    const { folds } = fold([ran(0, 10), waited(10, DAY), waited(10, 2 * DAY), ran(2 * DAY, 2 * DAY + 10)]);
    expect(folds).toHaveLength(1);
  });

  it("gives many waits together no more than about what ran", () => {
    const spans = Array.from({ length: 40 }, (_, i) => [
      ran(i * DAY, i * DAY + 10),
      waited(i * DAY + 10, (i + 1) * DAY),
    ]);
    const { folds, place } = fold(spans.flat());
    expect(folds).toHaveLength(40);
    const shown = Array.from({ length: 40 }, (_, i) => place(i * DAY + 10) - place(i * DAY)).reduce((a, b) => a + b);
    expect(shown).toBeGreaterThan(25);
  });

  it("folds the long ones of many waits alone", () => {
    const spans = Array.from({ length: 100 }, (_, i) => [ran(i * 10, i * 10 + 5), waited(i * 10 + 5, i * 10 + 10)]);
    const { folds } = fold([...spans.flat(), waited(1000, DAY), ran(DAY, DAY + 5)]);
    expect(folds.map((one) => one.to)).toEqual([expect.closeTo(DAY, -3)]);
  });

  it("never goes back, stays within the axis, and begins and ends at its ends", () => {
    let seed = 7;
    const random = (n: number) => (seed = (seed * 48_271) % 2_147_483_647) % n;
    for (let round = 0; round < 200; round++) {
      const spans = Array.from({ length: 1 + random(12) }, () => {
        const from = random(10 ** (1 + random(9)));
        return { from, to: from + random(10 ** (1 + random(9))), busy: random(2) === 0 };
      });
      const { begin, end, place } = fold(spans);
      const places = spans
        .flatMap((one) => [one.from, one.to])
        .sort((a, b) => a - b)
        .map(place);
      expect(places.every((at) => at >= 0 && at <= 100 + 1e-9)).toBe(true);
      expect(places.every((at, i) => i === 0 || at >= places[i - 1]! - 1e-9)).toBe(true);
      if (end > begin) expect([place(begin), place(end)]).toEqual([0, 100]);
    }
  });

  it("stands still where there is no time at all", () => {
    expect(fold([]).place(5)).toBe(0);
    expect(fold([ran(5, 5)]).place(5)).toBe(0);
  });

  it("keeps 5,000 steps in their order, within the window", () => {
    const spans = Array.from({ length: 5000 }, (_, i) => [
      ran(i * S, i * S + 5),
      waited(i * S + 5, (i + 1) * S),
    ]).flat();
    const { place } = fold(spans);
    const places = spans.map((one) => place(one.from));
    expect(places).toEqual([...places].sort((one, other) => one - other));
    expect(places.at(0)).toBeGreaterThanOrEqual(0);
    expect(places.at(-1)).toBeLessThanOrEqual(100);
  });
});
