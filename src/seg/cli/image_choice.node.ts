/** @file Which of several images a path holds is meant, as flags. */

import type { ReadImageOptions } from "../../data/formats/format.ts";
import { ConfigError } from "../../host/errors.ts";
import { text } from "./command_line.node.ts";

/** The flags. */
export const imageChoices = { series: text, stack: text, array: text } as const;

/** Rows of help of commands that take one image. */
export const choiceHelp = [
  ["series ID", "of a folder of several DICOM series: the UID, its beginning, or the description of one"],
  ["stack N", "of a series whose slices differ in orientation or size: which of its stacks, from 0"],
  ["array NAME", "of an .npz archive of several arrays: which"],
] as const;

/** A row of help where images are folders among others. */
export const seriesHelp = [
  "series ID",
  "of folders that hold several DICOM series: the UID, its beginning, or the description of the one to take; --stack N of several stacks",
] as const;

/** What they choose. @throws ConfigError, also beside a dataset, `data`, whose images nothing is to be chosen of */
export function imageChoice(
  { series, stack, array }: { series?: string; stack?: string; array?: string },
  data?: string,
): ReadImageOptions {
  if (data !== undefined && (stack !== undefined || series !== undefined))
    throw new ConfigError('--series and --stack choose in folders of images; for --data DIR dataset.json says it: "series"');
  if (stack !== undefined && !/^\d+$/.test(stack)) throw new ConfigError(`--stack is "${stack}"; expected a number from 0`);
  return {
    ...(series !== undefined && { series }),
    ...(stack !== undefined && { stack: Number(stack) }),
    ...(array !== undefined && { array }),
  };
}
