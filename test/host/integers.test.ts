/** @file Arguments that are whole numbers: those in range pass, others are told with the range. */
import { expect, test } from "vitest";
import { ConfigError } from "../../src/host/errors.ts";
import { expectIntegers } from "../../src/host/integers.ts";

test("integers in range pass, anything else is named with what was expected", () => {
  expect(() => expectIntegers("op", { n: 1, m: 7 }, 1)).not.toThrow();
  expect(() => expectIntegers("op", { order: 5 }, 0, 5)).not.toThrow();
  expect(() => expectIntegers("op", { k: -3 })).not.toThrow();
  for (const [value, least, most, message] of [
    [0, 1, undefined, "op: n must be an integer from 1 up, got 0"],
    [6, 0, 5, "op: n must be an integer from 0 to 5, got 6"],
    [0.5, undefined, undefined, "op: n must be an integer, got 0.5"],
    [NaN, 1, undefined, "op: n must be an integer from 1 up, got NaN"],
    [Infinity, 1, undefined, "op: n must be an integer from 1 up, got Infinity"],
  ] as const) {
    expect(() => expectIntegers("op", { n: value }, least, most)).toThrow(new ConfigError(message));
  }
});
