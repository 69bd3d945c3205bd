/** @file The DICOM objects that hold labels of an image, by what they are called on a command line. */

import { FormatError } from "../../../host/errors.ts";
import type { Volume } from "../../volume.ts";
import { unpackedFile } from "../byte_source.ts";
import type { ImageFile } from "../format.ts";
import { withDataSet } from "./header.ts";
import { type DicomSegmentation, readDicomSegmentation, type ReadSegmentationOptions } from "./segmentation.ts";
import type { WriteDicomLabelsOptions } from "./label_source.ts";
import { isStructureSet } from "./structure_tags.ts";
import { readDicomStructures } from "./structures.ts";
import { writeDicomSegmentation } from "./write_segmentation.ts";
import { writeDicomStructures } from "./write_structures.ts";

/** A kind: the words for it, and how labels are written as one. */
interface LabelObject {
  readonly title: string;
  write(labels: Volume, options: WriteDicomLabelsOptions): Promise<Uint8Array>;
}

/** A row each. */
export const labelObjects = {
  seg: { title: "DICOM segmentation", write: writeDicomSegmentation },
  rtstruct: { title: "RT structure set", write: writeDicomStructures },
} as const satisfies Record<string, LabelObject>;

/** Whether a DICOM file is an RT structure set. @throws FormatError for what is no DICOM file */
export async function isStructureFile(file: ImageFile): Promise<boolean> {
  const { blob } = await unpackedFile(file);
  const fail = (problem: string) => new FormatError(`${file.name}: ${problem}`);
  return withDataSet(blob, fail, (data, origin) => isStructureSet(data.text("sopClassUID") ?? origin.sopClass));
}

/**
 * The labels of a DICOM segmentation or RT structure set, whichever a file is.
 * @throws as readDicomSegmentation and readDicomStructures; FormatError for a structure set without the grid of its image
 */
export async function readLabels(file: ImageFile, options: ReadSegmentationOptions): Promise<DicomSegmentation> {
  if (!(await isStructureFile(file))) return readDicomSegmentation(file, options);
  const { like, ...rest } = options;
  if (!like) throw new FormatError(`${file.name}: contours have no voxels of their own: give the image that they were drawn on`);
  return readDicomStructures(file, { ...rest, like });
}
