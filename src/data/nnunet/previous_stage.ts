/**
 * @file The second stage of nnU-Net's cascades. What the first stage found comes as the last channel of an image, a label map; the network sees a mask of
 * each label behind the channels of the image.
 */

import { type HostArray, sizeOf, type TypedArray } from "../../host/array.ts";
import { ShapeError } from "../../host/errors.ts";

/** An image and what the first stage found in it. */
export interface WithPreviousStage<A extends TypedArray = TypedArray, P extends TypedArray = Int16Array> {
  /** `[C, …]` */
  readonly image: HostArray<A>;
  /** Label values `[1, …]`. */
  readonly previous: HostArray<P>;
}

/** Takes the last of the channels `[C + 1, …]` off, label values a hair from an integer made one. @throws ShapeError for an image of one channel */
export function splitPreviousStage<A extends TypedArray>({ data, shape }: HostArray<A>): WithPreviousStage<A> {
  const [channels, ...size] = shape;
  if (channels < 2)
    throw new ShapeError(`the image has ${channels} channels; the last one must be the label map of the cascade's first stage`);
  const at = data.length - sizeOf(size);
  const previous = new Int16Array(data.length - at);
  for (let i = 0; i < previous.length; i++) previous[i] = Math.round(data[at + i]);
  return {
    image: { data: data.subarray(0, at) as A, shape: [channels - 1, ...size] },
    previous: { data: previous, shape: [1, ...size] },
  };
}

/**
 * Masks of labels behind the channels of an image: `[C, …]` and label values `[1, …]` → `[C + values, …]`.
 * @param values labels of the foreground in order, which need not all be there
 */
export function withLabelMasks(
  image: HostArray<Float32Array>,
  previous: HostArray,
  values: readonly number[],
): HostArray<Float32Array> {
  const [channels, ...size] = image.shape;
  const voxels = sizeOf(size);
  const data = new Float32Array(image.data.length + values.length * voxels);
  data.set(image.data);
  const channel = new Map(values.map((value, k) => [value, (channels + k) * voxels]));
  for (let i = 0; i < voxels; i++) {
    const at = channel.get(previous.data[i]);
    if (at !== undefined) data[at + i] = 1;
  }
  return { data, shape: [channels + values.length, ...size] };
}

/** The opposite of `withLabelMasks`: the image `[C, …]`, and for each voxel the number of the mask that has it `[1, …]`, from 1; 0 for none. */
export function withoutLabelMasks(
  { data, shape }: HostArray<Float32Array>,
  masks: number,
): WithPreviousStage<Float32Array, Float32Array> {
  const [all, ...size] = shape;
  const voxels = sizeOf(size);
  const rest = (all - masks) * voxels;
  const numbers = new Float32Array(voxels);
  for (let k = 0; k < masks; k++) {
    const at = rest + k * voxels;
    for (let i = 0; i < voxels; i++) if (data[at + i] !== 0) numbers[i] = k + 1;
  }
  return {
    image: { data: data.subarray(0, rest), shape: [all - masks, ...size] },
    previous: { data: numbers, shape: [1, ...size] },
  };
}
