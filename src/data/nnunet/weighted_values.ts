/** @file Statistics of values that come several times each: as of the list in which they stand so often. */

/** A value may stand in the list more than once; `counts` say how often it came each time. */
export interface WeightedValues {
  readonly values: Float32Array;
  readonly counts: Uint32Array;
}

const digit = 11;
const buckets = 1 << digit;

/** Sorted by value, by radix: a hundred million of them must not take minutes. NaNs last. */
export function sortWeighted({ values, counts }: WeightedValues): WeightedValues {
  let keys = sortableBits(values);
  let weights = counts.slice();
  let nextKeys = new Uint32Array(keys.length);
  let nextWeights = new Uint32Array(keys.length);
  for (let shift = 0; shift < 32; shift += digit) {
    const places = new Float64Array(buckets + 1);
    for (let i = 0; i < keys.length; i++) places[((keys[i] >>> shift) & (buckets - 1)) + 1]++;
    for (let b = 0; b < buckets; b++) places[b + 1] += places[b];
    for (let i = 0; i < keys.length; i++) {
      const to = places[(keys[i] >>> shift) & (buckets - 1)]++;
      nextKeys[to] = keys[i];
      nextWeights[to] = weights[i];
    }
    [keys, nextKeys] = [nextKeys, keys];
    [weights, nextWeights] = [nextWeights, weights];
  }
  for (let i = 0; i < keys.length; i++) keys[i] = keys[i] >>> 31 ? keys[i] & 0x7fffffff : ~keys[i];
  return { values: new Float32Array(keys.buffer), counts: weights };
}

/** The bits of floats, turned so that they sort as unsigned numbers. */
function sortableBits(values: Float32Array): Uint32Array<ArrayBuffer> {
  const keys = new Uint32Array(Float32Array.from(values).buffer);
  for (let i = 0; i < keys.length; i++) keys[i] = keys[i] >>> 31 ? ~keys[i] : keys[i] | 0x80000000;
  return keys;
}

/** Quantiles with linear interpolation of a list sorted by `sortWeighted`; NaN of none. */
export function weightedQuantiles({ values, counts }: WeightedValues, fractions: readonly number[]): number[] {
  let total = 0;
  for (let i = 0; i < counts.length; i++) total += counts[i];
  if (total === 0) return fractions.map(() => NaN);
  return fractions.map((q) => {
    const at = q * (total - 1);
    const low = Math.floor(at);
    let i = 0;
    let before = 0;
    while (before + counts[i] <= low) before += counts[i++];
    let next = i;
    // The following element of the list may be the same value once more.
    if (before + counts[i] <= Math.min(low + 1, total - 1))
      do next++;
      while (counts[next] === 0);
    return values[i] + (at - low) * (values[next] - values[i]);
  });
}

/** Mean and population standard deviation. */
export function weightedMoments({ values, counts }: WeightedValues): { readonly mean: number; readonly std: number } {
  let [total, sum] = [0, 0];
  for (let i = 0; i < values.length; i++) {
    total += counts[i];
    sum += counts[i] * values[i];
  }
  const mean = sum / total;
  let squares = 0;
  for (let i = 0; i < values.length; i++) squares += counts[i] * (values[i] - mean) ** 2;
  return { mean, std: Math.sqrt(squares / total) };
}
