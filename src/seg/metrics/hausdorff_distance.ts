/** @file Hausdorff distances of masks, whole or by percentile, with MONAI's options and those of the pooled percentile. */

import { expectWord } from "../../host/words.ts";
import { expectOptions } from "../../host/options.ts";
import type { HostArray } from "../../host/array.ts";
import { ConfigError } from "../../host/errors.ts";
import { quantiles } from "../../host/stats.ts";
import { CumulativeMetric, type ReductionOptions } from "./cumulative.ts";
import {
  type BatchSurfaceOptions,
  distancePercentile,
  expectDistanceMetric,
  scoreSurfaces,
  type SurfaceCall,
  type SurfacePair,
  expectPair,
} from "./surfaces.ts";

/** Options of `hausdorffOf`. */
export interface PercentileOptions {
  /** 0 … 100; 0 or none: the largest distance. */
  readonly percentile?: number | null;
  /** Only from the prediction to the label. Default false: the larger of both directions. */
  readonly directed?: boolean;
  /**
   * "larger": the percentile of each direction, then the larger (MONAI, DeepMind). "pooled": the percentile of the distances of both directions together
   * (MedPy's `hd95`), usually smaller. Default "larger".
   */
  readonly percentileOf?: "larger" | "pooled";
}

/** Options of `computeHausdorffDistance`. */
export interface HausdorffOptions extends BatchSurfaceOptions, PercentileOptions {}

const names = "includeBackground:boolean distanceMetric percentile directed:boolean percentileOf";

function check(op: string, { percentile, percentileOf = "larger", distanceMetric = "euclidean" }: HausdorffOptions): void {
  expectDistanceMetric(op, distanceMetric);
  if (typeof percentile === "number" && !(percentile >= 0 && percentile <= 100))
    throw new ConfigError(`${op}: percentile is a number from 0 to 100, got ${percentile}`);
  expectWord(op, "percentileOf", percentileOf, ["larger", "pooled"]);
}

/** Distances of both directions in one list. */
function pooled(pair: SurfacePair): Float64Array {
  const [a, b] = [pair.toReference().distance, pair.toPrediction().distance];
  const all = new Float64Array(a.length + b.length);
  all.set(a);
  all.set(b, a.length);
  return all;
}

const percentileOptions = ({ percentile, directed, percentileOf }: PercentileOptions): PercentileOptions => ({
  ...(percentile !== undefined && { percentile }),
  ...(directed !== undefined && { directed }),
  ...(percentileOf !== undefined && { percentileOf }),
});

/** Hausdorff distance of two surfaces; NaN if neither has an element, Infinity if one has none. */
export function hausdorffOf(pair: SurfacePair, options: PercentileOptions = {}): number {
  expectOptions("hausdorffOf", options, "percentile directed percentileOf");
  expectPair("hausdorffOf", pair);
  const { percentile, directed = false, percentileOf = "larger" } = options;
  check("hausdorffOf", options);
  const forward = pair.toReference().distance;
  if (directed) return distancePercentile(forward, percentile);
  if (percentileOf === "pooled" && percentile) return quantiles(pooled(pair), [percentile / 100])[0];
  return Math.max(distancePercentile(forward, percentile), distancePercentile(pair.toPrediction().distance, percentile));
}

/**
 * Hausdorff distance per sample and class (MONAI `compute_hausdorff_distance`): the largest distance, or a percentile of the distances, from the edge of
 * one mask to the edge of the other.
 * @param yPred masks `[N, C, ...spatial]` of 1 to 3 spatial axes
 * @param y of the same shape
 * @returns `[N, classes]`, in the unit of the voxel size; NaN if both masks are empty, Infinity if one is (NaN where a percentile is asked for, as it
 * lies between two infinite distances)
 * @throws ShapeError, ConfigError
 */
export function computeHausdorffDistance(
  yPred: HostArray,
  y: HostArray,
  options: HausdorffOptions = {},
): HostArray<Float64Array> {
  const op = "computeHausdorffDistance";
  expectOptions(op, options, `${names} spacing`);
  check(op, options);
  return scoreSurfaces(op, yPred, y, options, (pair) => hausdorffOf(pair, percentileOptions(options)));
}

/** Options of `HausdorffDistanceMetric`. */
export interface HausdorffMetricOptions extends Omit<HausdorffOptions, "spacing">, ReductionOptions {}

/** Hausdorff distance over a data set (MONAI `HausdorffDistanceMetric`); `append` takes the voxel size. */
export class HausdorffDistanceMetric extends CumulativeMetric<HausdorffMetricOptions, SurfaceCall> {
  constructor(options: HausdorffMetricOptions = {}) {
    expectOptions("HausdorffDistanceMetric", options, `${names} reduction`);
    super(options);
    check("HausdorffDistanceMetric", options);
  }

  protected override compute(yPred: HostArray, y: HostArray, call?: SurfaceCall): HostArray<Float64Array> {
    const options = { ...this.options, ...call };
    return scoreSurfaces("HausdorffDistanceMetric", yPred, y, options, (pair) => hausdorffOf(pair, percentileOptions(options)));
  }
}
