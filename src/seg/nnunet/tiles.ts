/** @file How nnU-Net goes over an image: tiles of the patch's size, half of one apart, weighted by a Gaussian, sums in f16; networks of images slice by slice. */

import type { DeviceWindowsOptions } from "../inference/device_windows.ts";
import { computeGaussian, computeStepsForSlidingWindow } from "../inference/nnunet_windows.ts";

export interface TilesOptions {
  /** Steps of tiles as a share of the tile; default 0.5. */
  readonly tileStepSize?: number | undefined;
  /** Weights that fall off from the middle of tiles; default true. */
  readonly gaussian?: boolean | undefined;
  /** Axes of the patch along which images are mirrored too; default none. */
  readonly mirrorAxes?: readonly number[] | undefined;
}

/** Options of `DeviceWindows` for preprocessed cases `[C, z, y, x]`. @param patch three sizes, or two of slices */
export function nnunetTiles(patch: readonly number[], options: TilesOptions = {}): DeviceWindowsOptions {
  const { tileStepSize = 0.5, gaussian = true, mirrorAxes = [] } = options;
  const flat = patch.length === 2;
  const roi = flat ? [1, ...patch] : [...patch];
  const weights = gaussian ? computeGaussian(patch, { valueScalingFactor: 10 }) : undefined;
  return {
    roiSize: roi,
    sums: "f16",
    ...(flat && { sliceAxis: 0 }),
    ...(weights && { roiWeightMap: { data: weights.data, shape: roi } }),
    scan: ([first, ...size]) =>
      flat
        ? [Array.from({ length: first }, (_, z) => z), ...computeStepsForSlidingWindow(size, patch, tileStepSize)]
        : computeStepsForSlidingWindow([first, ...size], patch, tileStepSize),
    ...(mirrorAxes.length > 0 && { mirrorAxes: mirrorAxes.map((a) => (flat ? a + 1 : a)) }),
  };
}
