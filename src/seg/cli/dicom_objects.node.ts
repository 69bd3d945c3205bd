/** @file Predictions as DICOM objects beside the label maps: `predict --dicom KIND`. */

import type { Case } from "../../data/folders/dataset_index.ts";
import { sourceOf } from "../../data/formats/dicom/derived.ts";
import { isDicom } from "../../data/formats/dicom/header.ts";
import { labelObjects } from "../../data/formats/dicom/label_objects.ts";
import { openBytes } from "../../data/formats/byte_source.ts";
import { seriesNamed } from "../../data/formats/dicom/series.ts";
import { imageFilesAt } from "../../data/formats/files.node.ts";
import type { ImageFile } from "../../data/formats/format.ts";
import type { LabelClass } from "../../data/labels.ts";
import type { Volume } from "../../data/volume.ts";
import { ConfigError } from "../../host/errors.ts";
import { expectWord } from "../../host/words.ts";

/** A kind of object. */
export type ObjectKind = keyof typeof labelObjects;

/** What is to be written. */
export interface ObjectAsked {
  readonly kind: ObjectKind;
  /** Of the new series. */
  readonly description?: string | undefined;
}

/** The ending of a kind's files. */
export const objectEnding = (kind: ObjectKind): string => `.${kind}.dcm`;

/** What two flags ask for. @throws ConfigError */
export function objectAsked(kind: string | undefined, description: string | undefined): ObjectAsked | undefined {
  if (kind === undefined) {
    if (description !== undefined)
      throw new ConfigError("--description is of the series that --dicom writes: give --dicom seg or --dicom rtstruct too");
    return undefined;
  }
  expectWord("predict", "--dicom", kind, labelObjects);
  return { kind: kind as ObjectKind, description };
}

/** Throws `ConfigError` for a case whose image is no DICOM, before the work on others. */
export async function expectDicomImages(cases: readonly Case[]): Promise<void> {
  for (const { id, image, choices } of cases) {
    if (!(await anyDicom(await imageFilesAt(image[0], choices?.[0]))))
      throw new ConfigError(`--dicom writes objects of DICOM images, and case "${id}" is ${image[0]}; leave the option out`);
  }
}

/** A list, a word of the scanner's or a picture may lie before the slices. */
async function anyDicom(files: readonly ImageFile[]): Promise<boolean> {
  for (const file of files) if (isDicom(await openBytes(file).then((bytes) => bytes.head(256)))) return true;
  return false;
}

/**
 * Before a case is segmented, what would keep its labels from being written.
 * @throws DataError for images that do not say where they lie, as readSeries for others
 */
export async function expectPlaces(
  item: Case,
  { kind, description = "" }: ObjectAsked,
  classes: readonly LabelClass[],
): Promise<void> {
  const { files, series } = await seriesOf(item);
  const texts = classes.map((c) => c.name);
  await sourceOf(files, series, { op: `predict --dicom ${kind}`, modality: "", description, texts });
}

/** The labels of a case as an object of the series that it was read from. */
export async function objectOf(
  { kind, description }: ObjectAsked,
  item: Case,
  labels: Volume,
  classes: readonly LabelClass[],
): Promise<Uint8Array> {
  const { files, series } = await seriesOf(item);
  return labelObjects[kind].write(labels, { like: files, classes, series, ...(description !== undefined && { description }) });
}

async function seriesOf({ image, choices: [choice = {}] = [] }: Case) {
  const files = await imageFilesAt(image[0], choice);
  return { files, series: await seriesNamed(files, choice) };
}
