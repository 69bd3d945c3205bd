/** @file DICOM as an image format: one file, or the series among several. */

import type { Volume } from "../../volume.ts";
import type { ImageFile, ImageFormat, ReadImageOptions } from "../format.ts";
import { isDicom } from "./header.ts";
import { readDicom } from "./read_dicom.ts";
import { listSeries, readSeries } from "./series.ts";

/**
 * The series of several files that a text names: its UID, or the beginning of it, or its description.
 * @throws as readSeries
 */
async function readAll(files: readonly ImageFile[], { series, stack }: ReadImageOptions = {}): Promise<Volume> {
  const chosen = stack === undefined ? {} : { stack };
  if (series === undefined) return readSeries(files, chosen);
  const described = (await listSeries(files)).some((s) => s.description === series);
  return readSeries(files, { ...chosen, ...(described ? { description: series } : { uid: series }) });
}

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
