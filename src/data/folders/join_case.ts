/**
 * @file The voxels of one case: channel files joined, and the checks that image and label belong together. A label that was saved
 * flipped, resampled or with other class numbers trains without complaint and predicts nonsense; here it is an error.
 */

import { DataError, ShapeError } from "../../host/errors.ts";
import type { TypedArray } from "../../host/array.ts";
import type { LabelClass } from "../labels.ts";
import { makeVolume, type Volume } from "../volume.ts";

/**
 * Joins the channel files of a case and checks that image and label belong together.
 * @returns image `[C, nx, ny, nz]` and label `[1, nx, ny, nz]` in their stored element types
 * @throws ShapeError if sizes differ; DataError if voxel size or axis directions of image and label differ (a label saved flipped or
 *   resampled), or a label value is not among `labels`.
 */
export function joinCase(
  id: string,
  images: readonly Volume[],
  label: Volume | undefined,
  labels: readonly LabelClass[],
): { image: Volume; label?: Volume } {
  const image = joinChannels(id, images);
  if (!label) return { image };
  const where = `case "${id}" (${label.meta.source ?? "label"})`;
  const [want, got] = [image.shape.slice(1), label.shape.slice(1)];
  if (want.join() !== got.join())
    throw new ShapeError(`loadCase: ${where}: the label's size is [${got}], the image's [${want}]; they must lie on one grid`);
  if (label.shape[0] !== 1)
    throw new ShapeError(
      `loadCase: ${where}: the label has ${label.shape[0]} channels; expected 1 with a class number per voxel`,
    );
  for (let axis = 0; axis < 3; axis++) {
    if (Math.abs(label.spacing[axis] - image.spacing[axis]) > 1e-2 * image.spacing[axis]) {
      throw new DataError(
        `loadCase: ${where}: the label's voxel size is [${label.spacing}] mm, the image's [${image.spacing}] mm; resample one to the other`,
      );
    }
    const cosine =
      [0, 1, 2].reduce((sum, r) => sum + label.affine[r][axis] * image.affine[r][axis], 0) /
      (label.spacing[axis] * image.spacing[axis]);
    if (cosine < 0.99) {
      throw new DataError(
        `loadCase: ${where}: array axis ${axis} of label and image point ${((Math.acos(Math.max(-1, cosine)) * 180) / Math.PI).toFixed(0)}° apart; bring both to one orientation`,
      );
    }
  }
  checkLabels(where, label.data, labels);
  return { image, label };
}

function joinChannels(id: string, images: readonly Volume[]): Volume {
  const [first] = images;
  if (images.length === 1) return first;
  for (const { shape, meta } of images) {
    if (shape.join() !== first.shape.join()) {
      throw new ShapeError(
        `loadCase: case "${id}": ${meta.source ?? "a channel"} has shape [${shape}], the first channel [${first.shape}]; all channels must lie on one grid`,
      );
    }
  }
  const data = new Float32Array(images.length * first.data.length);
  images.forEach((v, c) => data.set(v.data, c * first.data.length));
  return makeVolume({ data, shape: [first.shape[0] * images.length, ...first.shape.slice(1)] }, first.affine, first.meta);
}

function checkLabels(where: string, data: TypedArray, labels: readonly LabelClass[]): void {
  const known = new Set(labels.flatMap((l) => l.values));
  let last = 0;
  for (let i = 0; i < data.length; i++) {
    const v = data[i];
    if (v === last) continue;
    if (!known.has(v))
      throw new DataError(
        `loadCase: ${where}: voxel value ${v} is not a class of the dataset; dataset.json has ${[...known].sort((a, b) => a - b).join(", ")}`,
      );
    last = v;
  }
}
