/** @file What every model asks of an image before it looks at it. */

import type { Volume } from "../../data/volume.ts";
import { ShapeError } from "../../host/errors.ts";
import { expectArguments } from "../../host/kinds.ts";
import { expectFinite } from "../../host/finite.ts";

/** Throws `ConfigError` for what is no volume, `ShapeError` for an image `[C, x, y, z]` of other channels, `DataError` for voxels that are not finite. */
export function expectImage(image: Volume, channels: readonly string[]): void {
  expectArguments("segment", "volume", { image });
  if (image.shape[0] !== channels.length)
    throw new ShapeError(`the image has ${image.shape[0]} channels, the model takes ${channels.length}: ${channels.join(", ")}`);
  expectFinite(image);
}
