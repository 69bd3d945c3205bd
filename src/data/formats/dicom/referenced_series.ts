/** @file The series of images that a DICOM segmentation or RT structure set says to be of. */

import { FormatError } from "../../../host/errors.ts";
import { unpackedFile } from "../byte_source.ts";
import type { ImageFile } from "../format.ts";
import type { DataSet } from "./elements.ts";
import { withDataSet } from "./header.ts";
import type { Tag } from "./tags.ts";
import { writtenTags } from "./written_tags.ts";

// PS3.3 sections C.8.8.5 (structure sets) and C.12.1.2 (series of the same study).
const {
  ReferencedFrameOfReferenceSequence: frames,
  RTReferencedStudySequence: studies,
  RTReferencedSeriesSequence: drawnOn,
  ReferencedSeriesSequence: referenced,
  SeriesInstanceUID: uid,
} = writtenTags;

/**
 * The SeriesInstanceUIDs of the images that labels are of, each once; empty where the file does not say it.
 * @throws FormatError for what is no DICOM file
 */
export async function referencedSeries(file: ImageFile): Promise<string[]> {
  const { blob } = await unpackedFile(file);
  const fail = (problem: string) => new FormatError(`${file.name}: ${problem}`);
  const known = new Map([frames, studies, drawnOn, referenced, uid].map(({ tag, vr }) => [tag, vr]));
  return withDataSet(blob, fail, (data) => [...new Set(seriesIn(data))], known);
}

function seriesIn(data: DataSet): string[] {
  const below = (items: Iterable<DataSet>, tag: Tag): DataSet[] => [...items].flatMap((item) => [...item.items(tag)]);
  const ofContours = below(below(data.items(frames), studies), drawnOn);
  return [...ofContours, ...data.items(referenced)].flatMap((item) => item.text(uid) ?? []);
}
