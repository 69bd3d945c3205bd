/** @file Which class the scores of a voxel mean: one rule for one output and one for several, wherever predictions are read. */

import type { TypedArray } from "./array.ts";

/** Arrays that hold class indices. */
type Indices = Uint8Array | Uint16Array | Int32Array | Float32Array;

const block = 4096;

/**
 * The class with the largest score at each position. Of equal scores the first class wins; NaN is never larger, so it wins only as the first
 * class. One class wins everywhere: for a single score use `above`.
 * @param scores planes one after the other, `classes` × positions
 * @param out one index per position, 0 everywhere at the start; of a type that holds `classes − 1`
 */
export function argmaxPlanes<A extends Indices>(scores: TypedArray, classes: number, out: A): A {
  const positions = out.length;
  // In blocks, plane by plane: memory is read in its order, and the best so far stays in the cache.
  const best = new Float64Array(Math.min(block, positions));
  for (let start = 0; start < positions; start += block) {
    const count = Math.min(block, positions - start);
    for (let i = 0; i < count; i++) best[i] = scores[start + i];
    for (let c = 1; c < classes; c++) {
      const plane = c * positions + start;
      for (let i = 0; i < count; i++) {
        const score = scores[plane + i];
        if (!(score > best[i])) continue;
        best[i] = score;
        out[start + i] = c;
      }
    }
  }
  return out;
}

/** With one score per position: class 1 where it is above the threshold (0 for logits, ½ for probabilities), else 0; at the threshold and for NaN 0. */
export function above<A extends Indices>(scores: TypedArray, threshold: number, out: A): A {
  for (let i = 0; i < out.length; i++) out[i] = scores[i] > threshold ? 1 : 0;
  return out;
}
