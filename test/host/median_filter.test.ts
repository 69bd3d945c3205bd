/** @file The median filter is the middle of the sorted window, borders repeated, for windows of any sides in arrays of one to four axes. */

import { expect, test } from "vitest";
import { sizeOf } from "../../src/host/array.ts";
import { medianFilter } from "../../src/host/median_filter.ts";

/** Every place of a shape. */
function* places(shape: readonly number[]): Generator<number[]> {
  for (let i = 0; i < sizeOf(shape); i++) {
    let rest = i;
    yield shape.toReversed().map((n) => [rest % n, (rest = Math.floor(rest / n))][0]).reverse(); // prettier-ignore
  }
}

function sorted(data: Float32Array, shape: readonly number[], radius: readonly number[]): number[] {
  const axes = shape.length - radius.length;
  const window = [...places(radius.map((r) => 2 * r + 1))];
  return Array.from(places(shape), (at) => {
    const values = window.map((step) => {
      const from = at.map((p, a) => (a < axes ? p : Math.min(Math.max(p + step[a - axes] - radius[a - axes], 0), shape[a] - 1)));
      return data[from.reduce((flat, p, a) => flat * shape[a] + p, 0)];
    });
    return values.sort((a, b) => a - b)[(values.length - 1) / 2];
  });
}

test.each([
  { shape: [11], radius: [2] },
  { shape: [3], radius: [4] },
  { shape: [2, 9], radius: [1] },
  { shape: [6, 5], radius: [2, 0] },
  { shape: [2, 4, 7], radius: [0, 3] },
  { shape: [5, 4, 3], radius: [1, 2, 1] },
  { shape: [2, 3, 2, 5], radius: [2, 1, 0] },
])("$shape by $radius", ({ shape, radius }) => {
  // Many values several times, of both signs.
  const data = Float32Array.from({ length: sizeOf(shape) }, (_, i) => ((i * 37 + 5) % 11) - 4);
  expect(Array.from(medianFilter(data, shape, radius))).toEqual(sorted(data, shape, radius));
});
