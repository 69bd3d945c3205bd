/** @file Predictions as DICOM objects beside the label maps: `predict --dicom KIND`. */

import type { Case } from "../../data/folders/dataset_index.ts";
import { sourceOf } from "../../data/formats/dicom/derived.ts";
import { isDicom } from "../../data/formats/dicom/header.ts";
import { labelObjects } from "../../data/formats/dicom/label_objects.ts";
import { openBytes } from "../../data/formats/byte_source.ts";
import { filesAt } from "../../data/formats/files.node.ts";
import type { LabelClass } from "../../data/labels.ts";
import type { Volume } from "../../data/volume.ts";
import { ConfigError } from "../../host/errors.ts";
import { expectWord } from "../../host/words.ts";

/** A kind of object. */
export type ObjectKind = keyof typeof labelObjects;

/** The ending of a kind's files. */
export const objectEnding = (kind: ObjectKind): string => `.${kind}.dcm`;

/** The kind that a flag names. @throws ConfigError */
export function objectKind(flag: string | undefined): ObjectKind | undefined {
  if (flag !== undefined) expectWord("predict", "--dicom", flag, labelObjects);
  return flag as ObjectKind | undefined;
}

/** Throws `ConfigError` for a case whose image is no DICOM, before the work on others. */
export async function expectDicomImages(cases: readonly Case[]): Promise<void> {
  for (const { id, image } of cases) {
    const [first] = await filesAt(image[0]);
    const head = first && (await openBytes(first).then((bytes) => bytes.head(256)));
    if (!head || !isDicom(head))
      throw new ConfigError(`--dicom writes objects of DICOM images, and case "${id}" is ${image[0]}; leave the option out`);
  }
}

/**
 * Before a case is segmented, what would keep its labels from being written.
 * @throws DataError for images that do not say where they lie, as readSeries for others
 */
export async function expectPlaces({ image }: Case, classes: readonly LabelClass[]): Promise<void> {
  const texts = classes.map((c) => c.name);
  await sourceOf(await filesAt(image[0]), {}, { op: "predict --dicom", modality: "SEG", description: "", texts });
}

/** The labels of a case as an object of the series that it was read from. */
export const objectOf = async (
  kind: ObjectKind,
  { image }: Case,
  labels: Volume,
  classes: readonly LabelClass[],
): Promise<Uint8Array> => labelObjects[kind].write(labels, { like: await filesAt(image[0]), classes });
