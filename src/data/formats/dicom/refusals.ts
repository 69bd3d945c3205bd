/** @file DICOM objects that are no images (PS3.4 annex B), by name, so that their refusal says what the file is. */

import { FormatError } from "../../../host/errors.ts";

/** A DICOM file that is sound but no image: passed over among files of a folder. */
export class NoImageError extends FormatError {}

const storage = "1.2.840.10008.5.1.4.1.1.";

/** By SOP class; an entry with a final dot stands for all classes below it. */
const objects: readonly (readonly [uid: string, title: string])[] = [
  ["1.2.840.10008.1.3.10", "a DICOMDIR, the index of a disc: read the folder that it lies in"],
  [`${storage}88.59`, "a key object selection"],
  [`${storage}88.`, "a structured report (SR)"],
  [
    `${storage}481.3`,
    "an RT structure set (RTSTRUCT): contours; readDicomStructures and `voxgrad convert-labels` make a label map of them",
  ],
  [`${storage}481.4`, "an RT beams treatment record"],
  [`${storage}481.5`, "an RT plan"],
  [`${storage}481.6`, "an RT brachy treatment record"],
  [`${storage}481.7`, "an RT treatment summary record"],
  [`${storage}481.8`, "an RT ion plan"],
  [`${storage}481.9`, "an RT ion beams treatment record"],
  [`${storage}104.1`, "an encapsulated PDF"],
  [`${storage}104.2`, "an encapsulated CDA document"],
  [`${storage}104.`, "an encapsulated document or model"],
  [`${storage}11.`, "a presentation state"],
  [`${storage}9.`, "a waveform"],
  [`${storage}4.2`, "MR spectroscopy"],
  [`${storage}66.1`, "a spatial registration"],
  [`${storage}66.2`, "spatial fiducials"],
  [`${storage}66.3`, "a deformable spatial registration"],
  [`${storage}66.5`, "a surface segmentation"],
  [`${storage}66.6`, "tractography results"],
  [`${storage}66`, "raw data"],
  [`${storage}67`, "a real world value mapping"],
  ["1.2.840.10008.5.1.4.38.1", "a hanging protocol"],
];

/** What an object that has no pixels is. */
export const objectTitle = (sopClass: string): string | undefined =>
  objects.find(([uid]) => (uid.endsWith(".") ? sopClass.startsWith(uid) : sopClass === uid))?.[1];

/** DICOM segmentation storage: frames are segments, not slices of one image. */
export const isSegmentation = (sopClass: string): boolean => sopClass === `${storage}66.4` || sopClass === `${storage}66.7`;

/** What an object with pixels is that stands beside images of its patient, not for one of them; undefined for an image. */
export const besideImages = (sopClass: string): string | undefined =>
  isSegmentation(sopClass) ? "a segmentation" : sopClass === `${storage}481.2` ? "an RT dose" : undefined;
