/** @file Batch axes of a matrix product that are merged lead to the same matrices as those that are not. */

import { expect, test } from "vitest";
import { broadcastShapes } from "../../src/host/shape.ts";
import { matmulShape } from "../../src/kernels/matmul_shape.ts";

/** Where the matrices of an operand begin, one after the other of the result. */
function starts(batch: readonly number[], strides: readonly number[]): number[] {
  return batch.reduce<number[]>((all, size, axis) => all.flatMap((at) => Array.from({ length: size }, (_, i) => at + i * strides[axis])), [0]); // prettier-ignore
}

/** The same for the batch axes of a shape as NumPy broadcasts them. */
function broadcast(own: readonly number[], batch: readonly number[], matrix: number): number[] {
  const padded = [...batch.slice(own.length).map(() => 1), ...own];
  const strides = padded.map((n, a) => (n === 1 ? 0 : matrix * padded.slice(a + 1).reduce((x, y) => x * y, 1)));
  return starts(batch, strides);
}

test.each([
  [[], []],
  [[4], [4]],
  [
    [2, 3],
    [2, 3],
  ],
  [[2, 3], [3]],
  [[2, 3], []],
  [
    [2, 1],
    [1, 3],
  ],
  [
    [2, 3, 4],
    [3, 4],
  ],
  [
    [2, 3, 4],
    [2, 1, 4],
  ],
  [
    [2, 3, 4],
    [2, 3, 1],
  ],
  [
    [2, 1, 4],
    [2, 3, 4],
  ],
  [
    [1, 1, 5],
    [2, 1, 5],
  ],
  [
    [2, 3, 4, 5],
    [1, 1, 4, 5],
  ],
  [
    [2, 3, 1, 1],
    [1, 1, 4, 5],
  ],
])("[%s] and [%s]", (a, b) => {
  const g = matmulShape("matmul", [...a, 6, 7], [...b, 7, 5]);
  const batch = broadcastShapes("matmul", a, b);
  expect(g.outShape).toEqual([...batch, 6, 5]);
  expect(starts(g.batch, g.a.batch)).toEqual(broadcast(a, batch, 42));
  expect(starts(g.batch, g.b.batch)).toEqual(broadcast(b, batch, 35));
});

test("what both walk in one stride is one axis", () => {
  expect(matmulShape("matmul", [2, 3, 4, 6, 7], [2, 3, 4, 7, 5]).batch).toEqual([24]);
  expect(matmulShape("matmul", [2, 3, 4, 6, 7], [4, 7, 5]).batch).toEqual([6, 4]);
});
