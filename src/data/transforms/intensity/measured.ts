/** @file The voxels that a transform measures, where a mask says which, as TorchIO's `masking_method`. */
import { expectArguments } from "../../../host/kinds.ts";
import { ShapeError } from "../../../host/errors.ts";
import type { HostArray } from "../../../host/array.ts";

/** The voxels that are measured: a function from the image to a mask of its shape, or null for all. */
export type MaskingMethod = ((x: HostArray) => HostArray) | null;

/** A copy of the voxels where the mask is not 0. */
export function measured(op: string, x: HostArray, data: Float32Array, method: MaskingMethod): Float32Array {
  if (method === null) return data;
  const mask = method(x);
  expectArguments(op, "array", { "what maskingMethod gives": mask });
  if (mask.data.length !== data.length) {
    throw new ShapeError(
      `${op}: the mask has shape [${mask.shape.join(", ")}], the image [${x.shape.join(", ")}]; they must be the same`,
    );
  }
  return data.filter((_, i) => mask.data[i] !== 0);
}
