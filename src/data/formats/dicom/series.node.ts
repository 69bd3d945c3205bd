/** @file DICOM series in a folder (Node). */

import { expectOptions } from "../../../host/options.ts";
import { openAsBlob } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { FormatError } from "../../../host/errors.ts";
import type { Volume } from "../../volume.ts";
import type { ImageFile } from "../format.ts";
import { listSeries, seriesNames, type ReadSeriesOptions, readSeries, type SeriesInfo } from "./series.ts";

/**
 * The DICOM series in a folder and the folders in it, see listSeries.
 * @throws FormatError if there is none, or the folder cannot be read
 * @param dir the folder
 */
export const listSeriesFolder = async (dir: string): Promise<SeriesInfo[]> => listSeries(await filesIn(dir));

/**
 * Reads a DICOM series of a folder and the folders in it, see readSeries.
 * @throws as readSeries
 * @param dir the folder
 * @returns the volume `[C, nx, ny, nz]`
 */
export async function readSeriesFolder(dir: string, options: ReadSeriesOptions = {}): Promise<Volume> {
  expectOptions("readSeriesFolder", options, seriesNames);
  return readSeries(await filesIn(dir), options);
}

/** All files, by path; their bytes are read when they are asked for. */
async function filesIn(dir: string): Promise<ImageFile[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true }).catch((cause: Error) => {
    throw new FormatError(`listSeries: cannot read the folder ${dir}: ${cause.message}`, { cause });
  });
  const paths = entries.filter((e) => e.isFile()).map((e) => join(e.parentPath, e.name));
  paths.sort();
  return Promise.all(paths.map(async (path) => ({ name: path, blob: await openAsBlob(path) })));
}
