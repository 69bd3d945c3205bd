/** @file Augmentation inside the captured step: what `DrawAugmentation` (voxgrad/data) drew for the samples of a batch, applied to them. */

import { expectFields } from "../../host/kinds.ts";
import { add, clamp, div, eq, mul, sub, where } from "../../autograd/pointwise.ts";
import { concat, slice } from "../../autograd/view.ts";
import { expectOptions } from "../../host/options.ts";
import { augmentationKeys } from "../../data/transforms/augment/draw_augmentation.ts";
import { adjustInPlace, lowResolutionInPlace, warp, warpBoth } from "../../kernels/augment.ts";
import { blurInPlace } from "../../kernels/blur.ts";
import { channelStatistics } from "../../kernels/channel_statistics.ts";
import { sameShape } from "../../host/shape.ts";
import { full } from "../../kernels/view.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { BatchTensors } from "./trainer.ts";

/** Options of `augmentBatch`. */
export interface AugmentBatchOptions {
  /** Spatial size of the result, as `DrawAugmentation` was told. */
  readonly size: readonly number[];
  /** Keys that hold labels or masks, which are not mixed. Default `label`. */
  readonly labels?: readonly string[];
  /** Images as continuous values that change place too, such as distance maps. Default none. */
  readonly images?: readonly string[];
  /** What lies outside of samples. Default "zeros". */
  readonly paddingMode?: "zeros" | "border" | "reflection";
  /** Spatial axes that low resolution makes coarser; default all. */
  readonly lowResolutionAxes?: readonly number[];
  /** Largest sigma of blur in voxels; default 1. */
  readonly maxSigma?: number;
}

/**
 * Changes place and intensity of a batch as drawn, without a word to the host. Intensities in this order: blur, low resolution, brightness, contrast, gamma
 * with mean and deviation kept, noise.
 * @param batch of samples that `DrawAugmentation` has added to; its keys are left out of the result
 * @throws ShapeError for draws that do not fit the images
 */
export function augmentBatch(batch: BatchTensors, options: AugmentBatchOptions): BatchTensors {
  expectOptions("augmentBatch", options, "size:numbers! labels:texts images:texts paddingMode lowResolutionAxes maxSigma:number");
  expectFields("augmentBatch", "batch", batch, { image: "object", augmentMatrix: "object" });
  const { size, labels = ["label"], images = [], paddingMode = "zeros" } = options;
  const { augmentMatrix, augmentDisplacement: knots } = batch;
  const place = { size, paddingMode, ...(knots && { knots }) };
  const { image } = batch;
  // The image together with the first of its labels.
  const pair = labels.find(
    (key) => batch[key]?.rank === image.rank && sameShape(batch[key].shape.with(1, image.shape[1]), image.shape),
  );
  const [first, marks] = pair ? warpBoth(image, batch[pair], augmentMatrix, place) : [warp(image, augmentMatrix, place)];
  const moved = Object.entries(batch)
    .filter(([key]) => !augmentationKeys.includes(key))
    .map(([key, t]) => {
      if (key === "image") return [key, first];
      if (key === pair) return [key, marks];
      if (labels.includes(key)) return [key, warp(t, augmentMatrix, { ...place, mode: "nearest" })];
      return [key, images.includes(key) ? warp(t, augmentMatrix, place) : t];
    });
  const result = Object.fromEntries(moved) as BatchTensors;
  return { ...result, image: intensities(first, batch, options) };
}

function intensities(image: Tensor, batch: BatchTensors, { maxSigma = 1, lowResolutionAxes }: AugmentBatchOptions): Tensor {
  const { augmentNumbers: numbers, augmentSigmas, augmentZooms } = batch;
  // In the memory of what was moved: most samples are left as they are by most of these.
  blurInPlace(image, augmentSigmas, Math.ceil(4 * maxSigma));
  lowResolutionInPlace(image, augmentZooms, lowResolutionAxes);
  const [n, c] = image.shape;
  const at = (k: number, count = 1): Tensor => slice(numbers, [undefined, undefined, [k, k + count]]);
  const meanOf = (statistics: Tensor): Tensor => slice(statistics, [undefined, undefined, [0, 1]]);
  const [zero, one] = [0, 1].map((v) => full(image.device, [n, c, 1], v));
  const before = channelStatistics(image);
  adjustInPlace(image, concat([at(0, 5), zero, zero], 2), before.statistics);
  // What gamma does to mean and deviation is taken back. Contrast clips few values, so what it leaves is known well enough.
  const after = channelStatistics(image);
  const [scale, shift, contrast, gamma] = [0, 1, 2, 3].map((k) => at(k));
  const plain = eq(gamma, 1);
  const factor = where(plain, one, div(mul(mul(before.deviation, scale), contrast), clamp(after.deviation, 1e-8, Infinity)));
  const offset = where(
    plain,
    zero,
    sub(add(mul(meanOf(before.statistics), scale), shift), mul(meanOf(after.statistics), factor)),
  );
  // Without contrast and gamma statistics are of no account.
  adjustInPlace(image, concat([factor, offset, one, one, zero, at(5, 2)], 2), after.statistics);
  return image;
}
