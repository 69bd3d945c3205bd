/** @file What every model asks of an image before it looks at it. */

import type { HostArray } from "../../host/array.ts";
import { ShapeError } from "../../host/errors.ts";
import { expectFinite } from "../../host/finite.ts";

/** Throws `ShapeError` for an image `[C, x, y, z]` of other channels, `DataError` for voxels that are not finite. */
export function expectImage(image: HostArray, channels: readonly string[]): void {
  if (image.shape[0] !== channels.length)
    throw new ShapeError(`the image has ${image.shape[0]} channels, the model takes ${channels.length}: ${channels.join(", ")}`);
  expectFinite(image);
}
