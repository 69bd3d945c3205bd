/** @file Heads on the grid of FreeSurfer's `mri_convert --conform`: 256³ voxels of 1 mm from left, inferior, anterior, as 8-bit numbers. */

import { SpatialResample } from "../../data/transforms/index.ts";
import { type Affine, makeVolume, type Volume } from "../../data/volume.ts";
import { DataError } from "../../host/errors.ts";
import { quantiles } from "../../host/stats.ts";

const size = 256;
/** Columns: what a step along each axis is in RAS millimeters. */
const directions = [
  [-1, 0, 0],
  [0, 0, 1],
  [0, -1, 0],
];

const isConformed = ({ shape, affine, data }: Volume): boolean =>
  shape.slice(1).every((n) => n === size) &&
  directions.every((row, r) => row.every((v, c) => Math.abs(affine[r][c] - v) < 1e-3)) &&
  data instanceof Uint8Array;

/** The conformed grid about the center of a volume. */
function gridOf({ shape, affine }: Volume): Affine {
  const middle = shape.slice(1).map((n) => n / 2);
  const rows = [0, 1, 2].map((r) => {
    const center = affine[r][3] + [0, 1, 2].reduce((sum, c) => sum + affine[r][c] * middle[c], 0);
    return [...directions[r], center - [0, 1, 2].reduce((sum, c) => sum + (directions[r][c] * size) / 2, 0)];
  });
  return [...rows, [0, 0, 0, 1]];
}

/**
 * A head on the conformed grid, scaled so that 99.9 % of its voxels above zero lie in 0 … 255; the volume itself if it is conformed.
 * @param image `[1, x, y, z]`
 * @throws DataError for a constant volume or values that are not finite
 */
export function conformed(image: Volume): Volume {
  if (isConformed(image)) return image;
  let low = Infinity;
  for (const v of image.data) low = Math.min(low, v);
  const above = Float32Array.from(image.data).filter((v) => v > 0);
  const high = above.length > 0 ? quantiles(above, [0.999])[0] : low;
  if (!(Number.isFinite(low) && Number.isFinite(high) && high > low))
    throw new DataError(`intensities from ${low} to ${high} are no head; is the volume constant or not finite?`);
  const affine = gridOf(image);
  const moved = new SpatialResample({
    dstAffine: affine,
    spatialSize: [size, size, size],
    mode: "bilinear",
    paddingMode: "zeros",
  }).apply(image);
  const data = Uint8Array.from(moved.data, (v) => Math.max(0, Math.min(255, Math.round(((v - low) / (high - low)) * 255))));
  return makeVolume({ data, shape: moved.shape }, affine, {});
}
