/** @file The mean of the logits of several folds in half floats, one fold after the other as nnU-Net adds them up: two are kept at a time. */

import { sizeOf } from "../../host/array.ts";
import { roundToHalf } from "../../host/rounding.ts";
import type { KeepScores, KeptScoreMap, KeptScores } from "../inference/kept_scores.ts";

/**
 * @param folds how many there are, 1 or more
 * @param logitsOf gives the logits of a fold, half floats, which are disposed here
 */
export async function meanOfFolds(
  folds: number,
  logitsOf: (fold: number) => Promise<KeptScoreMap>,
  keepScores: KeepScores,
): Promise<KeptScoreMap> {
  const first = await logitsOf(0);
  if (folds === 1) return first;
  const { channels, shape } = first;
  const voxels = sizeOf(shape);
  let room: KeptScores | undefined;
  try {
    const sums = (room = keepScores(channels, voxels));
    addTo(sums.write, first, (values) => values);
    for (let k = 1; k < folds; k++) {
      const divisor = k === folds - 1 ? folds : 1;
      addTo(sums.write, await logitsOf(k), (values, c) => added(sums.channel(c), values, divisor));
    }
    return { channels, shape, channel: sums.channel, dispose: sums.dispose };
  } catch (error) {
    first.dispose();
    room?.dispose();
    throw error;
  }
}

function addTo(
  write: (at: number, values: Float32Array) => void,
  logits: KeptScoreMap,
  sumOf: (values: Float32Array, channel: number) => Float32Array,
): void {
  try {
    const voxels = sizeOf(logits.shape);
    for (let c = 0; c < logits.channels; c++) write(c * voxels, sumOf(logits.channel(c), c));
  } finally {
    logits.dispose();
  }
}

/** (a + b) / divisor, both steps in halves. */
function added(a: Float32Array, b: Float32Array, divisor: number): Float32Array {
  const sum = new Float32Array(a.length);
  for (let i = 0; i < sum.length; i++) sum[i] = a[i] + b[i];
  roundToHalf(sum);
  if (divisor === 1) return sum;
  for (let i = 0; i < sum.length; i++) sum[i] /= divisor;
  roundToHalf(sum);
  return sum;
}
