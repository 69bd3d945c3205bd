/** @file Average distances between the surfaces of masks, with MONAI's options. */

import type { HostArray } from "../../host/array.ts";
import { CumulativeMetric, type ReductionOptions } from "./cumulative.ts";
import { expectOptions } from "../../host/options.ts";
import {
  type BatchSurfaceOptions,
  expectDistanceMetric,
  scoreSurfaces,
  type SurfaceCall,
  type SurfacePair,
  expectPair,
} from "./surfaces.ts";

/** Options of `computeAverageSurfaceDistance`. */
export interface SurfaceDistanceOptions extends BatchSurfaceOptions {
  /** The mean over the distances of both directions. Default false: from the prediction to the label. */
  readonly symmetric?: boolean;
}

const names = "includeBackground:boolean distanceMetric symmetric:boolean";

/**
 * Mean distance from the prediction to the reference, or of both directions pooled (ASSD); NaN if neither has an element, Infinity if one has none.
 * `symmetric` pools both.
 */
export function averageDistanceOf(pair: SurfacePair, symmetric: boolean): number {
  expectPair("averageDistanceOf", pair);
  const lists = symmetric ? [pair.toReference(), pair.toPrediction()] : [pair.toReference()];
  let [sum, count] = [0, 0];
  for (const { distance } of lists) {
    for (let i = 0; i < distance.length; i++) sum += distance[i];
    count += distance.length;
  }
  return sum / count;
}

/**
 * Average surface distance per sample and class (MONAI `compute_average_surface_distance`).
 * @param yPred masks `[N, C, ...spatial]` of 1 to 3 spatial axes
 * @param y of the same shape
 * @returns `[N, classes]`, in the unit of the voxel size; NaN if both masks are empty, Infinity if one is
 * @throws ShapeError, ConfigError
 */
export function computeAverageSurfaceDistance(
  yPred: HostArray,
  y: HostArray,
  options: SurfaceDistanceOptions = {},
): HostArray<Float64Array> {
  const op = "computeAverageSurfaceDistance";
  expectOptions(op, options, `${names} spacing`);
  return scoreSurfaces(op, yPred, y, options, (pair) => averageDistanceOf(pair, options.symmetric ?? false));
}

/** Options of `SurfaceDistanceMetric`. */
export interface SurfaceDistanceMetricOptions extends Omit<SurfaceDistanceOptions, "spacing">, ReductionOptions {}

/** Average surface distance over a data set (MONAI `SurfaceDistanceMetric`); `append` takes the voxel size. */
export class SurfaceDistanceMetric extends CumulativeMetric<SurfaceDistanceMetricOptions, SurfaceCall> {
  constructor(options: SurfaceDistanceMetricOptions = {}) {
    expectOptions("SurfaceDistanceMetric", options, `${names} reduction`);
    super(options);
    expectDistanceMetric("SurfaceDistanceMetric", options.distanceMetric ?? "euclidean");
  }

  protected override compute(yPred: HostArray, y: HostArray, call?: SurfaceCall): HostArray<Float64Array> {
    const { symmetric = false } = this.options;
    return scoreSurfaces("SurfaceDistanceMetric", yPred, y, { ...this.options, ...call }, (pair) =>
      averageDistanceOf(pair, symmetric),
    );
  }
}
