/** @file What a DICOM file holds, by its SOP class, without its pixels. */

import { FormatError } from "../../../host/errors.ts";
import { unpackedFile } from "../byte_source.ts";
import type { ImageFile } from "../format.ts";
import { classInMeta, withDataSet } from "./header.ts";
import { besideImages, objectTitle } from "./refusals.ts";

/** The SOP class of a DICOM file; empty if it says none. @throws FormatError for what is no DICOM file */
export async function sopClassOf(file: ImageFile): Promise<string> {
  const { blob } = await unpackedFile(file);
  const fail = (problem: string) => new FormatError(`${file.name}: ${problem}`);
  return withDataSet(blob, fail, (data, origin) => data.text("sopClassUID") ?? origin.sopClass);
}

/** The same as a file promises before its data set, which a copy that broke off lacks, and which of thousands of slices need not be read. */
export async function promisedClassOf(file: ImageFile): Promise<string> {
  const { blob } = await unpackedFile(file);
  return (await classInMeta(blob, (problem) => new FormatError(`${file.name}: ${problem}`))) || sopClassOf(file);
}

/** Whether objects of a class are images, and not labels, plans or doses that lie beside them. */
export const isOfImage = (sopClass: string): boolean =>
  objectTitle(sopClass) === undefined && besideImages(sopClass) === undefined;
