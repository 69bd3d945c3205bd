/** @file Codes of voxels: bytes where they are enough, words else; more channels than a word has bits are refused, since they would come out as others. */
import { expect, test } from "vitest";
import { ShapeError } from "../../src/host/errors.ts";
import { codesPerWord } from "../../src/kernels/window.ts";
import { decideScores, scoresInMemory } from "../../src/seg/inference/score_map.ts";
import { outputCodingOf } from "../../src/seg/post/output_coding.ts";

test("bytes hold 256 classes or sets of 8 channels, words sets of 32", () => {
  expect([256, 257].map((n) => codesPerWord("largest", n))).toEqual([4, 1]);
  expect([8, 9, 32].map((n) => codesPerWord("positive", n))).toEqual([4, 1, 1]);
  expect(() => codesPerWord("positive", 33)).toThrow(ShapeError);
});

test("regions: the last of 32 is itself, and 33 are decided by their scores", () => {
  const regionsOf = (count: number) =>
    outputCodingOf(
      "regions",
      Array.from({ length: count + 1 }, (_, v) => ({ name: `${v}`, values: [v] })),
    );
  const last = (count: number) => ({
    data: Float32Array.from({ length: count }, (_, c) => (c === count - 1 ? 1 : -1)),
    shape: [count, 1, 1, 1],
  });
  expect([...decideScores(scoresInMemory(last(32)), regionsOf(32)).data]).toEqual([32]);
  expect(() => decideScores(scoresInMemory(last(33)), regionsOf(33))).toThrow(/at most 32, the network has 33/);
  const { data } = last(33);
  expect([...regionsOf(33).decide({ data, shape: [1, 33, 1, 1, 1] }).data]).toEqual([33]);
});
