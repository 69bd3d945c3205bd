/** @file Strided copies of arrays, and sizes per axis. */
import { describe, expect, test } from "vitest";
import { ConfigError, ShapeError } from "../../src/host/errors.ts";
import { stridesOf } from "../../src/host/shape.ts";
import { arrayAxis, copyView, emptyLike, resolveSize, spatialShape } from "../../src/host/strided.ts";

const data = Int16Array.from({ length: 24 }, (_, i) => i);
const x = { data, shape: [2, 3, 4] };

describe("copyView", () => {
  test("whole, turned, mirrored, repeated and cut", () => {
    expect([...copyView(data, x.shape, stridesOf(x.shape), 0).data]).toEqual([...data]);
    expect([...copyView(data, [4, 3], [1, 4], 0).data]).toEqual([0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11]);
    expect([...copyView(data, [2, 2], [-12, -1], 23).data]).toEqual([23, 22, 11, 10]);
    expect([...copyView(data, [3, 2], [0, 1], 5).data]).toEqual([5, 6, 5, 6, 5, 6]);
    expect([...copyView(data, [2, 1, 2], [12, 4, 2], 1).data]).toEqual([1, 3, 13, 15]);
  });
  test("a scalar, and nothing", () => {
    expect(copyView(data, [], [], 7)).toEqual({ data: Int16Array.of(7), shape: [] });
    expect(copyView(data, [2, 0, 3], [1, 1, 1], 0)).toEqual({ data: new Int16Array(0), shape: [2, 0, 3] });
  });
  test("keeps the element type and does not share memory", () => {
    const copy = copyView(data, [24], [1], 0).data;
    expect(copy).toBeInstanceOf(Int16Array);
    copy[0] = 99;
    expect(data[0]).toBe(0);
    expect(emptyLike(new Float64Array(1), 2)).toEqual(new Float64Array(2));
  });
});

test("axes are counted among the spatial ones", () => {
  expect([arrayAxis("op", 0, x), arrayAxis("op", -1, x)]).toEqual([1, 2]);
  for (const axis of [2, -3, 0.5, NaN]) expect(() => arrayAxis("op", axis, x)).toThrow(ShapeError);
  expect(spatialShape("op", x)).toEqual([3, 4]);
  expect(() => spatialShape("op", { data, shape: [24] })).toThrow(/op: expected a channel-first array/);
});

test("sizes: one for all, per axis, and the image's own", () => {
  expect(resolveSize("op", 5, [3, 4])).toEqual([5, 5]);
  expect(resolveSize("op", [5], [3, 4])).toEqual([5, 5]);
  expect(resolveSize("op", [null, -1], [3, 4])).toEqual([3, 4]);
  expect(resolveSize("op", [0, 9], [3, 4])).toEqual([3, 9]);
  expect(() => resolveSize("op", [1, 2, 3], [3, 4])).toThrow(ConfigError);
});
