/** @file One DICOM file, with one or many frames. Series of many files are in `series.ts`. */

import { ConfigError } from "../../../host/errors.ts";
import { expectArguments } from "../../../host/kinds.ts";
import type { Volume } from "../../volume.ts";
import type { ImageFile } from "../format.ts";
import { readVoxels } from "./assemble.ts";
import { readHeader } from "./header.ts";
import { isSegmentation } from "./refusals.ts";
import { alike, slicesOf } from "./slice.ts";
import { arrange } from "./stack.ts";

/**
 * Reads a DICOM file: `[samples, columns, rows, frames]` with an RAS affine.
 *
 * Values are those of the file after rescale slope and intercept, which each frame may have its own of: of the stored integer type or another that
 * holds them exactly, f64 where the slope is no integer. Bits outside of those stored are dropped. MONOCHROME1 is not inverted, indices into a palette
 * stay indices, YBR becomes RGB. Frames at one place (times, echoes) become channels; those of segmentations, and frames without positions, stay
 * as stored. A Siemens mosaic is the volume of its slices, if it says how many it has. `meta.notes` says what was met. JPEG, JPEG-LS, JPEG 2000 and HTJ2K need an npm package each, which the error names that misses it.
 * @throws FormatError naming the file and what is wrong: damaged, no image (by the name of its kind), packed by a codec that is not installed; DataError for
 *   frames that are no even slices; ConfigError for those of several stacks, of which readSeries and readImage take one
 */
export async function readDicom(file: ImageFile): Promise<Volume> {
  expectArguments("readDicom", "file", { file });
  const { name, blob } = file;
  const header = await readHeader(name, blob);
  const segmentation = isSegmentation(header.sopClass);
  const slices = slicesOf([header]);
  // Frames that lie askew have no affine in common.
  const askew = segmentation ? undefined : slices.find((slice) => !alike(slices[0], slice));
  if (askew)
    throw new ConfigError(
      `readDicom: ${name}: frames 1 and ${askew.frame + 1} differ in orientation or pixel size; they are several stacks: choose one by its number (stack)`,
    );
  const stack = arrange(slices, { uneven: "refuse", asStored: segmentation, who: `readDicom: ${name}` });
  const masks = segmentation
    ? ["a segmentation: each frame is the mask of a segment; readDicomSegmentation makes a label map"]
    : [];
  return readVoxels(stack, name, masks);
}
