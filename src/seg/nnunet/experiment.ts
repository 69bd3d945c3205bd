/** @file A dataset as nnU-Net describes one: its `dataset.json`, its fingerprint, its plans. */

import { expectItems, expectArguments, expectFields } from "../../host/kinds.ts";
import { FingerprintExtractor, type DatasetFingerprint } from "../../data/nnunet/fingerprint.ts";
import { nnunetArray } from "../../data/nnunet/preprocess.ts";
import type { Case, DatasetIndex } from "../../data/folders/dataset_index.ts";
import { foregroundOf, type LabelClass } from "../../data/labels.ts";
import type { Volume } from "../../data/volume.ts";
import { DataError } from "../../host/errors.ts";
import { reversedAxes } from "../../host/strided.ts";
import { outputCodingOf } from "../post/output_coding.ts";
import type { PlannedDatasetJson } from "./plan.ts";

/** `dataset.json` of nnU-Net v2. */
export interface NnunetDatasetJson extends PlannedDatasetJson {
  /** Name of each channel, by its number. */
  readonly channel_names: Readonly<Record<string, string>>;
  /** Value of each class by name, or the values of a region. */
  readonly labels: Readonly<Record<string, number | readonly number[]>>;
  /** Ending of the image files, with the dot. */
  readonly file_ending: string;
  /** The value that each region writes, in order. */
  readonly regions_class_order?: readonly number[];
}

/** Classes in nnU-Net's order: by value, the background first; regions as they are listed. */
export function nnunetLabels(labels: readonly LabelClass[]): readonly LabelClass[] {
  expectItems("nnunetLabels", "labels", labels, { name: "text", values: "numbers" });
  if (foregroundOf(labels).some((l) => l.values.length > 1)) return labels;
  return labels.toSorted((a, b) => Math.min(...a.values) - Math.min(...b.values));
}

/** What a `dataset.json` says of files. */
export interface DatasetFiles {
  /** Of images. */
  readonly fileEnding: string;
  /** Labeled cases. */
  readonly numTraining: number;
  /** nnU-Net's class that reads them, if not the usual one. */
  readonly reader?: string | undefined;
}

/** The `dataset.json` files of an index. */
export function filesOf(index: DatasetIndex): DatasetFiles {
  expectFields("filesOf", "index", index, { fileEnding: "text", training: "list" });
  const { fileEnding, training, reader } = index;
  return { fileEnding, numTraining: training.length, reader };
}

/** The `dataset.json` of channels and classes. */
export function datasetJson(labels: readonly LabelClass[], channels: readonly string[], files: DatasetFiles): NnunetDatasetJson {
  expectItems("datasetJson", "labels", labels, { name: "text", values: "numbers" });
  expectArguments("datasetJson", "texts", { channels });
  expectFields("datasetJson", "files", files, { fileEnding: "text", numTraining: "number" });
  const { fileEnding, numTraining, reader } = files;
  const sorted = nnunetLabels(labels);
  const regions = foregroundOf(sorted).some((l) => l.values.length > 1);
  const coding = regions ? outputCodingOf("regions", sorted) : undefined;
  // The value that each region writes where it alone holds.
  const alone = coding?.foreground.map((_, r) => coding.valuesOf({ data: Uint32Array.of(2 ** r), shape: [1] }).data[0]);
  return {
    channel_names: Object.fromEntries(channels.map((name, c) => [String(c), name])),
    labels: Object.fromEntries(sorted.map(({ name, values }) => [name, values.length === 1 ? values[0] : values])),
    numTraining,
    file_ending: fileEnding,
    ...(reader !== undefined && { overwrite_image_reader_writer: reader }),
    ...(alone && { regions_class_order: alone }),
  };
}

/** How a case's image and label are read. The `image` is `[C, x, y, z]`, the `label` `[1, x, y, z]`. */
export type ReadLabeled = (source: Case) => Promise<{ readonly image: Volume; readonly label?: Volume | undefined }>;

/** @deprecated The name of `ReadLabeled` in 0.1.0. */
export type ReadLabelled = ReadLabeled;

/**
 * The fingerprint of cases, read one after the other.
 * @param onProgress called with the cases that were read
 * @throws DataError for a case without a label, with NaNs or with other channels than the first; what reading throws
 * @param onProgress called with the cases that were read, `done` of `total`
 */
export async function fingerprintCases(
  cases: readonly Case[],
  read: ReadLabeled,
  onProgress?: (done: number, total: number) => void,
): Promise<DatasetFingerprint> {
  expectItems("fingerprintCases", "cases", cases);
  expectArguments("fingerprintCases", "function", { read });
  const extractor = new FingerprintExtractor(cases.length);
  for (const [i, item] of cases.entries()) {
    const { image, label } = await read(item);
    if (!label) throw new DataError(`case "${item.id}" has no label, but planning looks at the foreground of each training case`);
    const { image: array, spacing } = nnunetArray(image);
    extractor.add({ image: array, seg: reversedAxes(label), spacing });
    onProgress?.(i + 1, cases.length);
  }
  return extractor.finish();
}
