/** @file Shape arithmetic: pure functions. */
import { describe, expect, test } from "vitest";
import { ShapeError } from "../../src/host/errors.ts";
import { broadcastShapes, expectShape, normalizeAxis, sameShape, spatial, stridesOf } from "../../src/host/shape.ts";

describe("shapes", () => {
  test("strides are row-major, also with empty axes", () => {
    expect(stridesOf([2, 3, 4])).toEqual([12, 4, 1]);
    expect(stridesOf([])).toEqual([]);
    expect(stridesOf([2, 0, 4])).toEqual([0, 4, 1]);
    expect([sameShape([1, 2], [1, 2]), sameShape([1, 2], [2, 1]), sameShape([1], [1, 1])]).toEqual([true, false, false]);
  });

  test("broadcasting is NumPy's", () => {
    expect(broadcastShapes("add", [3, 1], [2, 1, 4])).toEqual([2, 3, 4]);
    expect(broadcastShapes("add", [], [2])).toEqual([2]);
    expect(broadcastShapes("add", [0], [1])).toEqual([0]);
    expect(() => broadcastShapes("add", [2, 3], [2, 4])).toThrow(
      /add: shapes \[2, 3\] and \[2, 4\].*axis 1 .*sizes 3 and 4.*equal or one of them 1/,
    );
    expect(() => broadcastShapes("add", [0], [2])).toThrow(ShapeError);
  });

  test("axes count from either end", () => {
    expect([normalizeAxis("sum", -1, 3), normalizeAxis("sum", 0, 3)]).toEqual([2, 0]);
    for (const axis of [3, -4, 0.5, Number.NaN]) expect(() => normalizeAxis("sum", axis, 3)).toThrow(ShapeError);
  });

  test("spatial options are one number or one per axis, not below their least", () => {
    expect(spatial("conv", "stride", 2, 3, 1)).toEqual([2, 2, 2]);
    expect(spatial("conv", "padding", [0, 1], 2, 0)).toEqual([0, 1]);
    expect(() => spatial("conv", "stride", [1, 1], 3, 1)).toThrow(/conv: stride has 2 entries for 3 spatial axes/);
    expect(() => spatial("conv", "stride", 0, 2, 1)).toThrow(/integers of at least 1, got \[0, 0\]/);
  });

  test("sizes are integers of at least 0", () => {
    expectShape("empty", [0, 2]);
    for (const size of [-1, 0.5, Number.NaN, Infinity]) expect(() => expectShape("empty", [2, size])).toThrow(ShapeError);
  });
});
