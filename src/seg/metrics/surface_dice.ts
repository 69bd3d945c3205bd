/** @file Surface Dice (normalized surface distance, NSD): how much of two surfaces is within a tolerance of the other; with MONAI's options. */

import { expectOptions } from "../../host/options.ts";
import { expectArguments } from "../../host/kinds.ts";
import type { HostArray } from "../../host/array.ts";
import { ConfigError, ShapeError } from "../../host/errors.ts";
import { showShape } from "../../host/shape.ts";
import { CumulativeMetric, type ReductionOptions } from "./cumulative.ts";
import {
  type BatchSurfaceOptions,
  expectDistanceMetric,
  scoreSurfaces,
  type SurfaceCall,
  type SurfaceDistances,
  type SurfacePair,
  expectPair,
} from "./surfaces.ts";

/** Options of `computeSurfaceDice`. */
export interface SurfaceDiceOptions extends BatchSurfaceOptions {
  /** The distance of each scored class up to which a surface counts as right, in the unit of the voxel size. */
  readonly classThresholds: readonly number[];
  /** Weigh surface elements between voxels by their area, as DeepMind's surface-distance; otherwise count edge voxels. Default false. */
  readonly useSubvoxels?: boolean;
}

const names = "classThresholds includeBackground:boolean distanceMetric useSubvoxels:boolean";

function checkThresholds(op: string, thresholds: readonly number[]): void {
  if (!Array.isArray(thresholds) || !thresholds.every((t) => Number.isFinite(t) && t >= 0))
    throw new ConfigError(`${op}: classThresholds are finite numbers of at least 0, one per class, got [${String(thresholds)}]`);
}

/** The part of a surface within the threshold, and all of it. Compared as float32, so that a distance of 1.2 is within 1.2 whatever its last bit. */
function within({ distance, area }: SurfaceDistances, threshold: number): [right: number, all: number] {
  const limit = Math.fround(threshold);
  let [right, all] = [0, 0];
  for (let i = 0; i < distance.length; i++) {
    const weight = area ? (area[i] ?? 0) : 1;
    all += weight;
    if (Math.fround(distance[i]) <= limit) right += weight;
  }
  return [right, all];
}

/**
 * Surface Dice of two surfaces; NaN if neither has an element, 0 if one has none. An element counts up to `threshold` from the other surface, in the unit
 * of the pair's spacing.
 */
export function surfaceDiceOf(pair: SurfacePair, threshold: number): number {
  expectPair("surfaceDiceOf", pair);
  const [a, b] = [within(pair.toReference(), threshold), within(pair.toPrediction(), threshold)];
  const all = a[1] + b[1];
  return all === 0 ? NaN : (a[0] + b[0]) / all;
}

function surfaceDice(op: string, yPred: HostArray, y: HostArray, options: SurfaceDiceOptions): HostArray<Float64Array> {
  const { classThresholds, includeBackground = false } = options;
  if (![4, 5].includes(yPred.shape.length) || ![4, 5].includes(y.shape.length))
    throw new ShapeError(
      `${op}: expected masks [N, C, H, W] or [N, C, D, H, W], got ${showShape(yPred.shape)} and ${showShape(y.shape)}`,
    );
  const channels = yPred.shape[1];
  const classes = includeBackground || channels === 1 ? channels : channels - 1;
  if (classes !== classThresholds.length)
    throw new ConfigError(`${op}: classThresholds has ${classThresholds.length} entries for ${classes} scored classes`);
  return scoreSurfaces(op, yPred, y, options, (pair, _, c) => surfaceDiceOf(pair, classThresholds[c]));
}

/**
 * Surface Dice per sample and class (MONAI `compute_surface_dice`).
 * @param yPred masks `[N, C, H, W]` or `[N, C, D, H, W]`
 * @param y of the same shape
 * @returns `[N, classes]`; NaN if both masks are empty, 0 if one is
 * @throws ShapeError, ConfigError
 */
export function computeSurfaceDice(yPred: HostArray, y: HostArray, options: SurfaceDiceOptions): HostArray<Float64Array> {
  expectOptions("computeSurfaceDice", options, `${names} spacing`);
  expectArguments("computeSurfaceDice", "array", { yPred, y });
  checkThresholds("computeSurfaceDice", options.classThresholds);
  return surfaceDice("computeSurfaceDice", yPred, y, options);
}

/** Options of `SurfaceDiceMetric`. */
export interface SurfaceDiceMetricOptions extends Omit<SurfaceDiceOptions, "spacing">, ReductionOptions {}

/** Surface Dice over a data set (MONAI `SurfaceDiceMetric`); `append` takes the voxel size. */
export class SurfaceDiceMetric extends CumulativeMetric<SurfaceDiceMetricOptions, SurfaceCall> {
  constructor(options: SurfaceDiceMetricOptions) {
    expectOptions("SurfaceDiceMetric", options, `${names} reduction`);
    super(options);
    checkThresholds("SurfaceDiceMetric", options.classThresholds);
    expectDistanceMetric("SurfaceDiceMetric", options.distanceMetric ?? "euclidean");
  }

  protected override compute(yPred: HostArray, y: HostArray, call?: SurfaceCall): HostArray<Float64Array> {
    return surfaceDice("SurfaceDiceMetric", yPred, y, { ...this.options, ...call });
  }
}
