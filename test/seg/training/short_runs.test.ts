/** @file The learning rate of short trainings. */

import { expect, test } from "vitest";
import { shortSchedule } from "../../../src/seg/training/short_runs.ts";

test("up in the first tenth, then down to nothing", () => {
  const rates = Array.from({ length: 50 }, (_, epoch) => shortSchedule(50)(epoch, 1));
  expect(rates[0]).toBeCloseTo(0.1, 12);
  expect(rates[5]).toBe(1);
  expect(rates.slice(0, 5).every((r, i) => r < rates[i + 1])).toBe(true);
  expect(rates.slice(5, -1).every((r, i) => r > rates[i + 6])).toBe(true);
  expect(rates[49]).toBeLessThan(0.005);
});

test.each([1, 2, 3, 12])("of %i epochs none is without a rate", (epochs) => {
  for (let e = 0; e < epochs; e++) expect(shortSchedule(epochs)(e, 1)).toBeGreaterThan(0);
});
