/** @file DICOM as an image format: one file, or the series among several. */

import type { Volume } from "../../volume.ts";
import type { ImageFile, ImageFormat, ReadImageOptions } from "../format.ts";
import { isDicom } from "./header.ts";
import { readDicom } from "./read_dicom.ts";
import { readSeries, seriesNamed } from "./series.ts";

/**
 * The series of several files that is chosen.
 * @throws as readSeries
 */
const readAll = async (files: readonly ImageFile[], choice: ReadImageOptions = {}): Promise<Volume> =>
  readSeries(files, await seriesNamed(files, choice));

/** One file, of which a series or a stack may be asked for too. */
const read = (file: ImageFile, options: ReadImageOptions): Promise<Volume> =>
  options.series === undefined && options.stack === undefined ? readDicom(file) : readAll([file], options);

/** DICOM files, of any name. */
export const dicomFormat: ImageFormat & { readonly readAll: typeof readAll } = {
  title: "DICOM",
  endings: [".dcm.gz", ".dcm", ".dicom", ".ima"],
  matches: isDicom,
  chooses: ["series", "stack"],
  read,
  readAll,
};
