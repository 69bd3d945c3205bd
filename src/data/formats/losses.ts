/** @file What a format has no place for, of what the file of a volume said. */

import type { Volume } from "../volume.ts";
import type { ImageFormat } from "./format.ts";
import { timeStepOf } from "./nifti/header.ts";

/** A sentence for each thing that is lost when a volume is written as a format. */
export function lossesOf(volume: Volume, { title, placeless }: ImageFormat): string[] {
  const losses: string[] = [];
  if (placeless) losses.push(`${title} has no orientation, so the place of the image is lost`);
  const step = title === "NIfTI" ? undefined : timeStepOf(volume);
  if (step) losses.push(`${title} is not told that the channels are ${step} apart in time`);
  return losses;
}
