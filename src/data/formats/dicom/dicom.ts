/** @file DICOM as an image format: one file, or the series among several. */

import type { Volume } from "../../volume.ts";
import type { ImageFile, ImageFormat } from "../format.ts";
import { isDicom } from "./header.ts";
import { readDicom } from "./read_dicom.ts";
import { listSeries, readSeries } from "./series.ts";

/**
 * The series of several files that a text names: its UID, or the beginning of it, or its description.
 * @throws as readSeries
 */
async function readAll(files: readonly ImageFile[], { series }: { readonly series?: string } = {}): Promise<Volume> {
  if (series === undefined) return readSeries(files);
  const described = (await listSeries(files)).some((s) => s.description === series);
  return readSeries(files, described ? { description: series } : { uid: series });
}

/** DICOM files, of any name. */
export const dicomFormat: ImageFormat & { readonly readAll: typeof readAll } = {
  title: "DICOM",
  endings: [".dcm", ".dicom", ".ima"],
  matches: isDicom,
  read: readDicom,
  readAll,
};
