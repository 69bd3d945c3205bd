/** @file Normals by Marsaglia's polar method, of many words of a generator at a time. */
import { logarithm } from "../logarithm.ts";

export const wordsPerPair = 4;

/** A pair of normals takes two uniforms of two words; pairs that are made at a time, few, as `inBlocks` explains. */
export const pairsAtOnce = 128;
const points = new Float64Array(2 * pairsAtOnce);
const squares = new Float64Array(pairsAtOnce);

/**
 * Pairs of normals from words, those of accepted points only; gives the place behind the last. The points come first, the next one in the place of one that
 * was rejected: a branch on chance would be guessed wrong as often.
 */
export function polarPairs(
  words: Uint32Array,
  out: Float32Array | Float64Array,
  from: number,
  loc: number,
  scale: number,
): number {
  const count = acceptedPoints(words);
  // Rounded to float32 both are the same, but for one of some hundred millions.
  const rough = out instanceof Float32Array;
  for (let k = 0, at = from; k < count; k++, at += 2) {
    const r2 = squares[k];
    const f = Math.sqrt((-2 * (rough ? logarithm(r2) : Math.log(r2))) / r2);
    out[at] = loc + scale * (f * points[2 * k + 1]);
    out[at + 1] = loc + scale * (f * points[2 * k]);
  }
  return from + 2 * count;
}

function acceptedPoints(words: Uint32Array): number {
  let count = 0;
  for (let w = 0; w < words.length; w += wordsPerPair) {
    const x1 = 2 * (((words[w] >>> 5) * 2 ** 26 + (words[w + 1] >>> 6)) / 2 ** 53) - 1;
    const x2 = 2 * (((words[w + 2] >>> 5) * 2 ** 26 + (words[w + 3] >>> 6)) / 2 ** 53) - 1;
    const r2 = x1 * x1 + x2 * x2;
    points[2 * count] = x1;
    points[2 * count + 1] = x2;
    squares[count] = r2;
    count += Number(r2 < 1) & Number(r2 !== 0);
  }
  return count;
}
