/** @file From scores to classes: ties, NaN, one score and many positions. */
import { expect, test } from "vitest";
import { above, argmaxPlanes } from "../../src/host/argmax.ts";

test("the largest of each position, of equal ones the first", () => {
  // Rows are classes, columns positions.
  const scores = Float32Array.from(
    [
      [1, 0, 2, -1, 0],
      [3, 0, 2, -1, 1],
      [2, 0, 3, -2, 1],
    ].flat(),
  );
  expect([...argmaxPlanes(scores, 3, new Uint8Array(5))]).toEqual([1, 0, 2, 0, 1]);
});

test("NaN wins only as the first class, infinities count", () => {
  const scores = Float64Array.from(
    [
      [0, NaN, -Infinity, -Infinity],
      [NaN, 5, -Infinity, Infinity],
      [1, 9, -1, NaN],
    ].flat(),
  );
  expect([...argmaxPlanes(scores, 3, new Uint8Array(4))]).toEqual([2, 0, 2, 1]);
});

test("one class wins everywhere; no position is no result", () => {
  expect([...argmaxPlanes(Float32Array.of(-5, NaN), 1, new Uint8Array(2))]).toEqual([0, 0]);
  expect(argmaxPlanes(new Float32Array(0), 3, new Uint8Array(0))).toHaveLength(0);
});

test("agrees with a plain search on many scores", () => {
  const [classes, positions] = [7, 10_000]; // more than a block
  const scores = Int32Array.from({ length: classes * positions }, (_, i) => (i * 7919) % 11); // many ties
  const expected = Array.from({ length: positions }, (_, i) => {
    const own = Array.from({ length: classes }, (_c, c) => scores[c * positions + i]);
    return own.indexOf(Math.max(...own));
  });
  expect([...argmaxPlanes(scores, classes, new Float32Array(positions))]).toEqual(expected);
});

test("a single score is foreground above the threshold only", () => {
  const scores = Float32Array.of(-1, -0, 0, 1e-30, NaN, Infinity);
  expect([...above(scores, 0, new Uint8Array(6))]).toEqual([0, 0, 0, 1, 0, 1]);
  expect([...above(Float32Array.of(0.5, 0.75), 0.5, new Uint8Array(2))]).toEqual([0, 1]);
});
