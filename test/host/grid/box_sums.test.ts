/** @file Sums over boxes against a walk over each box, with elements beyond the grid as 0, 1 and 2. */
import { expect, test } from "vitest";
import { boxSums } from "../../../src/host/grid/box_sums.ts";

const shape = [3, 4, 5];
const grid = Float32Array.from({ length: 60 }, (_, i) => (7 * i) % 11);

function walked(sizes: readonly number[], outside: number): number[] {
  const [a, b, c] = sizes.map((s) => s >> 1);
  const inside = (at: readonly number[]) => at.every((v, i) => v >= 0 && v < shape[i]);
  return Array.from(grid, (_, n) => {
    const [x, y, z] = [Math.floor(n / 20), Math.floor(n / 5) % 4, n % 5];
    let sum = 0;
    for (let i = x - a; i <= x + a; i++)
      for (let j = y - b; j <= y + b; j++)
        for (let k = z - c; k <= z + c; k++) sum += inside([i, j, k]) ? grid[(i * 4 + j) * 5 + k] : outside;
    return sum;
  });
}

test.each([
  [[1, 1, 1], 0],
  [[3, 1, 1], 1],
  [[1, 3, 5], 0],
  [[3, 3, 3], 1],
  [[7, 3, 5], 2],
])("a box of %j, %d outside", (sizes, outside) => {
  expect([...boxSums(grid, shape, sizes, outside)]).toEqual(walked(sizes, outside));
});
