/** @file DICOM series in a folder (Node). */

import { expectOptions } from "../../../host/options.ts";
import type { Volume } from "../../volume.ts";
import { filesBelow } from "../files.node.ts";
import { listSeries, seriesNames, type ReadSeriesOptions, readSeries, type SeriesInfo } from "./series.ts";

/**
 * The DICOM series in a folder and the folders in it, see listSeries.
 * @throws FormatError if there is none, or the folder cannot be read
 * @param dir the folder
 */
export const listSeriesFolder = async (dir: string): Promise<SeriesInfo[]> => listSeries(await filesBelow(dir));

/**
 * Reads a DICOM series of a folder and the folders in it, see readSeries.
 * @throws as readSeries
 * @param dir the folder
 * @returns the volume `[C, nx, ny, nz]`
 */
export async function readSeriesFolder(dir: string, options: ReadSeriesOptions = {}): Promise<Volume> {
  expectOptions("readSeriesFolder", options, seriesNames);
  return readSeries(await filesBelow(dir), options);
}
