/** @file How a network sees each window for test-time augmentation: mirrored, turned, and both. */

import { ConfigError } from "../../host/errors.ts";

export interface PoseOptions {
  /** Spatial axes whose mirror images are seen too, in all combinations. */
  readonly mirrorAxes?: readonly number[] | undefined;
  /** The plane in which windows are turned by quarters. */
  readonly rot90Axes?: readonly [number, number] | undefined;
}

// The number of a pair of swapped axes: planes and rows, rows and columns, planes and columns.
const swapOf: Readonly<Record<string, number>> = { "0,1": 1, "1,2": 2, "0,2": 3 };

/**
 * Each pose once, as the kernels of windows take it, that of the image itself first.
 * @param roi window, one size per spatial axis
 * @throws ConfigError for axes that there are not, or that a quarter turn does not map to each other
 */
export function windowPoses({ mirrorAxes = [], rot90Axes }: PoseOptions, roi: readonly number[]): number[] {
  const axes = roi.length;
  const bit = (axis: number) => 1 << (axis + 3 - axes);
  const known = (list: readonly number[]) => list.every((a) => Number.isInteger(a) && a >= 0 && a < axes);
  if (!known(mirrorAxes))
    throw new ConfigError(`sliding window: mirrorAxes [${mirrorAxes}] must be spatial axes 0 … ${axes - 1}`);
  let flips = [0];
  for (const axis of mirrorAxes) flips = [...flips, ...flips.map((f) => f | bit(axis))];
  if (!rot90Axes) return [...new Set(flips)];
  const [a, b] = rot90Axes;
  if (rot90Axes.length !== 2 || a === b || !known(rot90Axes) || roi[a] !== roi[b])
    throw new ConfigError(
      `sliding window: rot90Axes [${rot90Axes}] must be two spatial axes along which windows [${roi}] are equally long`,
    );
  const pair = [a, b].map((axis) => axis + 3 - axes).sort((x, y) => x - y);
  const swapped = swapOf[pair.join()] << 3;
  const turns = [0, swapped | bit(a), bit(a) | bit(b), swapped | bit(b)];
  return [...new Set(turns.flatMap((turn) => flips.map((flip) => turn ^ flip)))];
}
