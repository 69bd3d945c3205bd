/** @file What a format has no place for, of what the file of a volume said. */

import type { Volume } from "../volume.ts";
import type { ImageFormat } from "./format.ts";

/** A sentence for each thing that is lost when a volume is written as a format. */
export function lossesOf(volume: Volume, { title, placeless, timed }: ImageFormat): string[] {
  const losses: string[] = [];
  if (placeless) losses.push(`${title} has no orientation, so the place of the image is lost`);
  const { timeStep, format, fields } = volume.meta;
  if (timeStep !== undefined && !timed) losses.push(`${title} is not told that the channels are ${timeStep} s apart in time`);
  if (!format?.startsWith("nifti")) return losses;
  if (fields?.intent_code !== undefined)
    losses.push(`the intent of the values (code ${String(fields.intent_code)}) is not written`);
  if (fields?.extension !== undefined) losses.push(`the header's extensions (${String(fields.extension)} bytes) are not written`);
  return losses;
}
