/** @file Erosion and dilation of masks by a box: `erode`, `dilate`. */
import { expectKinds } from "../../../host/kinds.ts";
import { sizeOf, type HostArray } from "../../../host/array.ts";
import { ConfigError, ShapeError } from "../../../host/errors.ts";
import { boxSums } from "../../../host/grid/box_sums.ts";
import { showShape, spatial, type Spatial } from "../../../host/shape.ts";
import { emptyLike } from "../../../host/strided.ts";

/**
 * 1 where all elements of the box around a voxel are 1, in all channels. MONAI's `erode`.
 * @param mask `[N, C, …]` with 2 or 3 spatial axes
 * @param filterSize of the box, odd; one or one per spatial axis
 * @param padValue what is beyond the image
 * @throws ShapeError for other axes, ConfigError for an even size
 */
export function erode(mask: HostArray, filterSize: Spatial = 3, padValue = 1): HostArray {
  return thresholded("erode", mask, filterSize, padValue, (mean) => Math.abs(mean - 1) < 1e-7);
}

/**
 * 1 where the mean of the box around a voxel, over all channels, is above 0. MONAI's `dilate`; shapes, arguments and errors as `erode`. `padValue` is what
 * is beyond the image; default 0.
 */
export function dilate(mask: HostArray, filterSize: Spatial = 3, padValue = 0): HostArray {
  return thresholded("dilate", mask, filterSize, padValue, (mean) => mean > 0);
}

function thresholded(
  op: string,
  mask: HostArray,
  filterSize: Spatial,
  padValue: number,
  inside: (mean: number) => boolean,
): HostArray {
  expectKinds(op, { array: { mask }, number: { padValue } });
  const out = emptyLike(mask.data, mask.data.length);
  const means = boxMeans(op, mask, filterSize, padValue).data;
  for (let i = 0; i < out.length; i++) out[i] = Number(inside(means[i]));
  return { ...mask, data: out };
}

/**
 * The mean of the box around each voxel over all channels, the same in each channel. MONAI's `get_morphological_filter_result_t`.
 * @param mask `[N, C, …]` with 2 or 3 spatial axes
 * @throws ShapeError for other axes, ConfigError for an even size
 */
function boxMeans(op: string, mask: HostArray, filterSize: Spatial, padValue: number): HostArray<Float64Array> {
  const [samples, channels, ...shape] = mask.shape;
  if (shape.length !== 2 && shape.length !== 3)
    throw new ShapeError(`${op}: expected [N, C, …] with 2 or 3 spatial axes, got shape ${showShape(mask.shape)}`);
  const sizes = spatial(op, "filterSize", filterSize, shape.length, 1);
  if (sizes.some((s) => s % 2 === 0)) throw new ConfigError(`${op}: filterSize must be odd, got ${showShape(sizes)}`);
  const voxels = sizeOf(shape);
  const out = new Float64Array(mask.data.length);
  for (let n = 0; n < samples; n++) {
    const total = new Float64Array(voxels);
    for (let c = 0, at = n * channels * voxels; c < channels; c++) for (let v = 0; v < voxels; v++) total[v] += mask.data[at++];
    // What is beyond the image counts once per channel.
    const means = boxSums(total, shape, sizes, padValue * channels);
    for (let v = 0; v < voxels; v++) means[v] /= channels * sizeOf(sizes);
    for (let c = 0; c < channels; c++) out.set(means, (n * channels + c) * voxels);
  }
  return { data: out, shape: mask.shape };
}
