/** @file How far a mean over cases can be trusted: confidence intervals by drawing the cases again (Efron 1979). */

import { expectArguments } from "../../host/kinds.ts";
import { expectOptions } from "../../host/options.ts";
import { RandomState } from "../../host/random/numpy.ts";
import { nanMean, quantiles } from "../../host/stats.ts";

/** Options of `summarize`. */
export interface BootstrapOptions {
  /** Times that the cases are drawn again. Default 2000. */
  readonly samples?: number;
  /** Share of the means within the interval. Default 0.95. */
  readonly confidence?: number;
  /** Same seed, same interval. Default 0. */
  readonly seed?: number;
}

/** What is said of a metric over cases. Values that are not finite are left out. */
export interface Summary {
  /** Cases that count. */
  readonly count: number;
  /** Cases whose value is infinite, such as the distance to nothing; not among `count`. */
  readonly infinite: number;
  /** NaN without a case, as the next ones. */
  readonly mean: number;
  /** Of a sample (n − 1); NaN of one case. */
  readonly std: number;
  /** The middle one. */
  readonly median: number;
  /** The least. */
  readonly min: number;
  /** The greatest. */
  readonly max: number;
  /** Percentile interval of the mean; NaN without a case. */
  readonly interval: readonly [low: number, high: number];
}

/** Mean, spread and the bootstrap confidence interval of the mean. `values` has one for each case. */
export function summarize(values: readonly number[], options: BootstrapOptions = {}): Summary {
  expectOptions("summarize", options, "samples:number confidence:number seed:number");
  expectArguments("summarize", "numbers", { values });
  const { samples = 2000, confidence = 0.95, seed = 0 } = options;
  const finite = Float64Array.from(values.filter(Number.isFinite));
  const n = finite.length;
  const mean = nanMean(finite);
  const squares = finite.reduce((sum, v) => sum + (v - mean) ** 2, 0);
  const [min, median, max] = quantiles(finite, [0, 0.5, 1]);
  const means = new Float64Array(n > 0 ? samples : 0);
  const random = new RandomState(seed);
  for (let s = 0; s < means.length; s++) {
    const drawn = random.randint(0, n, n);
    let sum = 0;
    for (let i = 0; i < n; i++) sum += finite[drawn[i]];
    means[s] = sum / n;
  }
  const [low, high] = quantiles(means, [(1 - confidence) / 2, (1 + confidence) / 2]);
  const infinite = values.filter((v) => v === Infinity || v === -Infinity).length;
  return { count: n, infinite, mean, std: n > 1 ? Math.sqrt(squares / (n - 1)) : NaN, median, min, max, interval: [low, high] };
}
