/** @file The DICOM objects that hold labels of an image, by what they are called on a command line. */

import { FormatError } from "../../../host/errors.ts";
import type { Volume } from "../../volume.ts";
import { unpackedFile } from "../byte_source.ts";
import type { ImageFile } from "../format.ts";
import { readHeader } from "./header.ts";
import { promisedClassOf, sopClassOf } from "./object_class.ts";
import { type DicomSegmentation, readDicomSegmentation, type ReadSegmentationOptions } from "./segmentation.ts";
import { isSegmentation } from "./refusals.ts";
import type { WriteDicomLabelsOptions } from "./label_source.ts";
import { isStructureSet } from "./structure_tags.ts";
import { listDicomStructures, readDicomStructures } from "./structures.ts";
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
export const isStructureFile = async (file: ImageFile): Promise<boolean> => isStructureSet(await sopClassOf(file));

/** Whether a file holds labels, or would if it were whole: a DICOM segmentation or an RT structure set. */
export async function isLabelObject(file: ImageFile): Promise<boolean> {
  try {
    const sopClass = await promisedClassOf(file);
    return isStructureSet(sopClass) || isSegmentation(sopClass);
  } catch (error) {
    if (error instanceof FormatError) return false;
    throw error;
  }
}

/** The kind of labels that a DICOM file holds, and the names of its structures; undefined for another file. */
export async function labelNames(
  file: ImageFile,
): Promise<{ readonly title: string; readonly names: readonly string[] } | undefined> {
  try {
    const sopClass = await sopClassOf(file);
    if (isStructureSet(sopClass))
      return { title: labelObjects.rtstruct.title, names: (await listDicomStructures(file)).map((s) => s.name) };
    // Of many slices no more is read.
    if (!isSegmentation(sopClass)) return undefined;
    const { name, blob } = await unpackedFile(file);
    const { segments } = await readHeader(name, blob);
    return segments && { title: labelObjects.seg.title, names: segments.segments.map((s) => s.label) };
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}

/**
 * The labels of a DICOM segmentation or RT structure set, whichever a file is.
 * @throws as readDicomSegmentation and readDicomStructures; FormatError for a structure set without the grid of its image
 */
export async function readLabels(file: ImageFile, options: ReadSegmentationOptions): Promise<DicomSegmentation> {
  if (!(await isStructureFile(file))) return readDicomSegmentation(file, options);
  const { like, ...rest } = options;
  if (!like)
    throw new FormatError(`${file.name}: contours have no voxels of their own: give the image that they were drawn on as like`);
  return readDicomStructures(file, { ...rest, like });
}
