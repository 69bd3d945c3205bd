/** @file Which of several images a path holds is meant, as flags. */

import type { SeriesChoice } from "../../data/folders/dataset_index.ts";
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

/** The flags where images are folders among others. */
export const seriesChoices = { series: { type: "string", multiple: true }, stack: text } as const;

/** A row of help of these. */
export const seriesHelp = [
  "series ID",
  "of folders that hold several DICOM series: the UID, its beginning, or the description of the one to take (once for each channel where a folder has all); --stack N of several stacks",
] as const;

/** What they choose, for all images or for each channel. @throws ConfigError, also beside a dataset, `data`, whose images nothing is to be chosen of */
export function seriesAsked(
  { series = [], stack }: { readonly series?: readonly string[] | undefined; readonly stack?: string | undefined },
  data?: string,
): SeriesChoice[] {
  if (data !== undefined && (stack !== undefined || series.length > 0))
    throw new ConfigError('--series and --stack choose in folders of images; for --data DIR dataset.json says it: "series"');
  if (series.length < 2) {
    const choice = imageChoice({ series: series[0], stack });
    return Object.keys(choice).length > 0 ? [choice] : [];
  }
  if (stack !== undefined) throw new ConfigError(`--stack is of one series, and --series is there ${series.length} times`);
  return series.map((one) => ({ series: one }));
}

/** What they choose. @throws ConfigError */
export function imageChoice({
  series,
  stack,
  array,
}: {
  readonly series?: string | undefined;
  readonly stack?: string | undefined;
  readonly array?: string | undefined;
}): ReadImageOptions {
  if (stack !== undefined && !/^\d+$/.test(stack)) throw new ConfigError(`--stack is "${stack}"; expected a number from 0`);
  return {
    ...(series !== undefined && { series }),
    ...(stack !== undefined && { stack: Number(stack) }),
    ...(array !== undefined && { array }),
  };
}
