/** @file Histograms as scikit-image and NumPy count them. */
import { holdsIntegers, type TypedArray } from "./array.ts";
import { className } from "./class_name.ts";
import { extent } from "./stats.ts";

/** Counts per bin and the middles of the bins. */
export interface Histogram {
  readonly counts: Float64Array;
  readonly centers: Float64Array;
}

/**
 * The histogram of values without NaN. Integers get a bin for each value from the least to the greatest; floats `bins` bins of equal width, of which
 * the last one holds the greatest value. scikit-image's `exposure.histogram`.
 */
export function histogramOf(values: TypedArray, bins: number): Histogram {
  const { min, max } = extent(values);
  if (holdsIntegers(values)) return countIntegers(values, min, max);
  const [low, high] = min === max ? [min - 0.5, max + 0.5] : [min, max];
  const round = className(values) === "Float64Array" ? (v: number): number => v : Math.fround;
  // Rounded after each operation: values often lie on an edge.
  const step = round(round(high - low) / bins);
  const edges = Float64Array.from({ length: bins + 1 }, (_, i) => (i === bins ? high : round(round(i * step) + low)));
  const counts = new Float64Array(bins);
  const perBin = bins / (high - low);
  for (let i = 0; i < values.length; i++) {
    const v = values[i];
    let bin = Math.min(Math.floor((v - low) * perBin), bins - 1);
    // The edges decide, not the division.
    if (v < edges[bin]) bin--;
    else if (bin < bins - 1 && v >= edges[bin + 1]) bin++;
    counts[bin]++;
  }
  return { counts, centers: Float64Array.from({ length: bins }, (_, i) => round(round(edges[i] + edges[i + 1]) / 2)) };
}

function countIntegers(values: TypedArray, min: number, max: number): Histogram {
  const counts = new Float64Array(max - min + 1);
  for (let i = 0; i < values.length; i++) counts[values[i] - min]++;
  return { counts, centers: Float64Array.from(counts, (_, i) => min + i) };
}
