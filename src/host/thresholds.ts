/** @file Thresholds between the dark and the bright part of an image, by the methods and names of scikit-image. */
import type { TypedArray } from "./array.ts";
import { type Histogram, histogramOf } from "./histogram.ts";
import { extent } from "./stats.ts";

const bins = 256;

/** Methods by name; each takes values without NaN. */
export const thresholdMethods = {
  /** The one that parts the values into two classes of greatest variance between them (Otsu 1979). */
  otsu: (values: TypedArray): number => (isFlat(values) ? values[0] : otsu(histogramOf(values, bins))),
  /** The mean. */
  mean: (values: TypedArray): number => sum(values) / values.length,
  /** The least one that lies halfway between the means of both sides (Ridler and Calvard 1978). */
  isodata: (values: TypedArray): number => (isFlat(values) ? values[0] : isodata(histogramOf(values, bins))),
  /** The one of greatest correlation (Yen et al. 1995). */
  yen: (values: TypedArray): number => (isFlat(values) ? values[0] : yen(histogramOf(values, bins))),
  /** The one farthest from the line between peak and tail of the histogram (Zack et al. 1977). */
  triangle: (values: TypedArray): number => (isFlat(values) ? values[0] : triangle(histogramOf(values, bins))),
  /** The one of least cross entropy (Li and Lee 1993), by iteration (Li and Tam 1998). */
  li: (values: TypedArray): number => (isFlat(values) ? values[0] : li(values)),
} as const;

/** Ways to choose a threshold by the histogram. */
export type ThresholdName = keyof typeof thresholdMethods;

function isFlat(values: TypedArray): boolean {
  const { min, max } = extent(values);
  return min === max;
}

function sum(values: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i];
  return total;
}

const running = (values: Float64Array): Float64Array => {
  let total = 0;
  return values.map((v) => (total += v));
};

/** Index of the first greatest value. */
function argmax(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i] > values[best]) best = i;
  return best;
}

function otsu({ counts, centers }: Histogram): number {
  const below = running(counts);
  const moment = running(counts.map((n, i) => n * centers[i]));
  const last = counts.length - 1;
  const spread = Float64Array.from({ length: last }, (_, i) => {
    const above = below[last] - below[i];
    const difference = moment[i] / below[i] - (moment[last] - moment[i]) / above;
    return below[i] * above * difference ** 2;
  });
  return centers[argmax(spread)];
}

function isodata({ counts, centers }: Histogram): number {
  const below = running(counts);
  const moment = running(counts.map((n, i) => n * centers[i]));
  const last = counts.length - 1;
  const width = centers[1] - centers[0];
  for (let i = 0; i < last; i++) {
    const above = below[last] - below[i];
    if (above === 0 || below[i] === 0) continue;
    const middle = (moment[i] / below[i] + (moment[last] - moment[i]) / above) / 2;
    const distance = middle - centers[i];
    if (distance >= 0 && distance < width) return centers[i];
  }
  return centers[0];
}

function yen({ counts, centers }: Histogram): number {
  const total = sum(counts);
  const share = counts.map((n) => n / total);
  const below = running(share);
  const squares = running(share.map((p) => p * p));
  const last = counts.length - 1;
  const criterion = Float64Array.from({ length: last }, (_, i) => {
    const rest = squares[last] - squares[i];
    return Math.log((below[i] * (1 - below[i])) ** 2 / (squares[i] * rest));
  });
  return centers[argmax(criterion)];
}

function triangle({ counts, centers }: Histogram): number {
  const peak = argmax(counts);
  const used = counts.reduce<number[]>((list, n, i) => (n > 0 ? [...list, i] : list), []);
  const [low, high] = [used[0], used.at(-1)!];
  const flipped = peak - low < high - peak;
  const at = (i: number): number => (flipped ? counts.length - 1 - i : i);
  const start = flipped ? counts.length - 1 - high : low;
  const top = at(peak);
  const width = top - start;
  const norm = Math.hypot(counts[peak], width);
  const distance = Float64Array.from(
    { length: width },
    (_, i) => (counts[peak] / norm) * i - (width / norm) * counts[at(start + i)],
  );
  return centers[at(start + argmax(distance))];
}

function li(values: TypedArray): number {
  const { min } = extent(values);
  // From 0 on, since logarithms are taken; the step at which the iteration ends is half the smallest distance of two values.
  const shifted = Float64Array.from(values, (v) => v - min);
  const sorted = shifted.toSorted();
  let closest = Infinity;
  for (let i = 1; i < sorted.length; i++) if (sorted[i] > sorted[i - 1]) closest = Math.min(closest, sorted[i] - sorted[i - 1]);
  let next = sum(shifted) / shifted.length;
  for (let now = -2 * closest; Math.abs(next - now) > closest / 2;) {
    now = next;
    let [front, frontCount, back] = [0, 0, 0];
    for (const v of shifted) {
      if (v > now) {
        front += v;
        frontCount++;
      } else back += v;
    }
    const [bright, dark] = [front / frontCount, back / (shifted.length - frontCount)];
    if (dark === 0) break;
    next = (dark - bright) / (Math.log(dark) - Math.log(bright));
  }
  return next + min;
}
