/** @file The image formats: a row each. */

import { expectArguments } from "../../host/kinds.ts";
import { analyzeFormat } from "./analyze/analyze.ts";
import { dicomFormat } from "./dicom/dicom.ts";
import type { ImageFormat } from "./format.ts";
import { jpegFormat } from "./jpeg/jpeg.ts";
import { metaImageFormat } from "./metaimage/metaimage.ts";
import { mghFormat } from "./mgh/mgh.ts";
import { niftiFormat } from "./nifti/nifti.ts";
import { nrrdFormat } from "./nrrd/nrrd.ts";
import { npyFormat } from "./numpy/npy.ts";
import { pngFormat } from "./png/png.ts";
import { tiffFormat } from "./tiff/tiff.ts";

/** In the order in which their signatures are tried: those that say least come last. */
export const formats: readonly ImageFormat[] = [
  niftiFormat,
  dicomFormat,
  nrrdFormat,
  metaImageFormat,
  npyFormat,
  pngFormat,
  tiffFormat,
  jpegFormat,
  analyzeFormat,
  mghFormat,
];

/** Endings of all formats, the longest first, so that `.nii.gz` comes before `.gz` of anything. */
const byEnding = formats
  .flatMap((format) => format.endings.map((ending) => [ending, format] as const))
  .sort((a, b) => b[0].length - a[0].length);

/** The ending that a name has of those of the formats, with its format. A first format of an ending is the one that is meant. */
export function endingOf(name: string): { readonly ending: string; readonly format: ImageFormat } | undefined {
  const lower = name.toLowerCase();
  const found = byEnding.find(([ending]) => lower.endsWith(ending));
  return found && { ending: name.slice(name.length - found[0].length), format: found[1] };
}

/** A file's name without its folder and the ending of its format: what a case is called. */
export function imageStem(name: string): string {
  expectArguments("imageStem", "text", { name });
  const base = name.slice(Math.max(name.lastIndexOf("/"), name.lastIndexOf("\\")) + 1);
  const ending = endingOf(base)?.ending ?? "";
  return base.slice(0, base.length - ending.length);
}

/** Whether a name has the ending of an image that can be read. */
export function isImageName(name: string): boolean {
  expectArguments("isImageName", "text", { name });
  return endingOf(name) !== undefined;
}

/** What is told of the hidden images among a folder's names, which its readers leave out as lists of files do; undefined where there are none but what macOS makes. */
export function hiddenImages(folder: string, names: readonly string[]): string | undefined {
  const [first, ...more] = names.filter((name) => /^\.[^._]/.test(name) && isImageName(name));
  if (first === undefined) return undefined;
  const hidden = more.length > 0 ? `${more.length + 1} hidden images` : "a hidden image";
  return `${folder} has ${hidden}, ${first}${more.length > 0 ? " …" : ""}: left out; a name without the dot in front has it read`;
}
