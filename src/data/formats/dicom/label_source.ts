/** @file Labels that are to become a DICOM object, with the series that they are of. */

import { expectArguments, expectKinds } from "../../../host/kinds.ts";
import { DataError } from "../../../host/errors.ts";
import { expectOptions } from "../../../host/options.ts";
import type { LabelClass } from "../../labels.ts";
import type { Volume } from "../../volume.ts";
import type { ImageFile } from "../format.ts";
import { classPixels, foregroundIn, type PixelsOf } from "./class_pixels.ts";
import { type Source, sourceOf } from "./derived.ts";
import type { ReadSeriesOptions } from "./series.ts";
import { writtenTexts } from "./written_texts.ts";

/** What labels are written with. */
export interface WriteDicomLabelsOptions {
  /** The DICOM files of the image that was segmented: patient, study, and where the slices lie. */
  readonly like: readonly ImageFile[];
  /**
   * Names of the values; each class beside the background becomes a segment, numbered from 1. DICOM has 64 letters for a name and other texts, and no backslash
   * in them: longer ones are cut, a backslash is written "/".
   */
  readonly classes: readonly LabelClass[];
  /** Which series of the files, if there are several. */
  readonly series?: ReadSeriesOptions;
  /** SeriesDescription. Default "Segmentation". */
  readonly description?: string;
  /** What found the structures, such as the name of a model. Default "voxgrad". */
  readonly algorithm?: string;
}

/** Labels by slices of their series. */
interface LabelSource {
  readonly source: Source;
  /** Of the classes beside the background. */
  readonly names: readonly string[];
  readonly pixelsOf: PixelsOf;
  readonly description: string;
  readonly algorithm: string;
}

/** @throws DataError for labels on other voxels than those of the series and for masks that are not as many as the classes; as sourceOf */
export async function labelSource(
  labels: Volume,
  options: WriteDicomLabelsOptions,
  { op, modality, most = Infinity }: { readonly op: string; readonly modality: string; readonly most?: number },
): Promise<LabelSource> {
  expectOptions(op, options, "like:files! classes:objects! series:object description:text algorithm:text");
  expectArguments(op, "volume", { labels });
  expectKinds(op, { files: { "options.like": options.like } });
  const { like, series = {} } = options;
  const classes = foregroundIn(labels, options.classes, op);
  if (classes.length > most) throw new DataError(`${op}: ${classes.length} classes; a segmentation has ${most} at most`);
  const { description, algorithm, names } = writtenTexts(options, classes);
  const source = await sourceOf(like, series, { op, modality, description, texts: [algorithm, ...names] });
  return { source, names, pixelsOf: classPixels(labels, options.classes, source, op), description, algorithm };
}
