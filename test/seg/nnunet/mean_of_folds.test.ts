/** @file The mean of folds: what it is, and that the room of all logits is given back, also where there is none for the sums. */
import { expect, test } from "vitest";
import { type KeepScores, type KeptScoreMap, keptInMemory } from "../../../src/seg/inference/kept_scores.ts";
import { meanOfFolds } from "../../../src/seg/nnunet/mean_of_folds.ts";

/** Folds whose logits are k + 1, k + 2, and how many of them are there. */
function folds() {
  const open = new Set<number>();
  const logitsOf = async (k: number): Promise<KeptScoreMap> => {
    open.add(k);
    return { channels: 2, shape: [1, 1, 1], channel: (c) => Float32Array.of(k + 1 + c), dispose: () => void open.delete(k) };
  };
  return { open, logitsOf };
}

test("each channel's mean, and nothing of the folds is left", async () => {
  const { open, logitsOf } = folds();
  const mean = await meanOfFolds(3, logitsOf, keptInMemory);
  expect([0, 1].map((c) => mean.channel(c)[0])).toEqual([2, 3]);
  expect(open.size).toBe(0);
});

test("where there is no room for the sums, or a fold fails, all room is given back", async () => {
  const { open, logitsOf } = folds();
  const full: KeepScores = () => {
    throw new RangeError("no room");
  };
  await expect(meanOfFolds(2, logitsOf, full)).rejects.toThrow("no room");
  expect(open.size).toBe(0);
  let rooms = 0;
  const counted: KeepScores = (channels, voxels) => {
    rooms++;
    return { ...keptInMemory(channels, voxels), dispose: () => void rooms-- };
  };
  const failing = async (k: number) => (k === 1 ? Promise.reject(new Error("lost")) : logitsOf(k));
  await expect(meanOfFolds(2, failing, counted)).rejects.toThrow("lost");
  expect([open.size, rooms]).toEqual([0, 0]);
});
