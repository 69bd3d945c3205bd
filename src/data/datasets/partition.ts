/** @file Parts of a list of cases: MONAI's partitions, folds and resampled lists; and whether a patient is in two parts. */

import { expectArguments, expectKinds } from "../../host/kinds.ts";
import { expectOptions } from "../../host/options.ts";
import { ConfigError, DataError } from "../../host/errors.ts";
import { expectIntegers } from "../../host/integers.ts";
import { RandomState } from "../../host/random/numpy.ts";
import { patientOf } from "../folders/k_fold.ts";

/** How a list is parted. */
export interface PartitionOptions {
  /** Sizes of the parts, in proportion to these numbers. */
  readonly ratios?: readonly number[];
  /** Number of parts of equal size, where there are no ratios: item i goes to part i mod n. */
  readonly numPartitions?: number;
  /** Shuffle first; default false. */
  readonly shuffle?: boolean;
  /** Of the shuffle; default 0. */
  readonly seed?: number;
  /** With `evenDivisible`, leave out what is over instead of repeating the first items; default false. */
  readonly dropLast?: boolean;
  /** Make all parts of one size; default false. */
  readonly evenDivisible?: boolean;
}

/**
 * MONAI's `partition_dataset`. `data` stays as it is.
 * @throws ConfigError with neither ratios nor a number, for fewer items than parts, and for dropLast without evenDivisible
 */
export function partitionDataset<T>(data: readonly T[], options: PartitionOptions): T[][] {
  expectOptions(
    "partitionDataset",
    options,
    "ratios:numbers? numPartitions:number? shuffle:boolean seed:number dropLast:boolean evenDivisible:boolean",
  );
  expectArguments("partitionDataset", "list", { data });
  const { ratios, numPartitions, shuffle = false, seed = 0, dropLast = false, evenDivisible = false } = options;
  let order = Array.from(data, (_, i) => i);
  if (shuffle) order = new RandomState(seed).permutation(order);
  const take = (indices: readonly number[]) => indices.map((i) => data[i]);
  if (ratios && ratios.length > 0) return byRatios(order, ratios).map(take);
  if (!numPartitions)
    throw new ConfigError("partitionDataset: neither ratios nor numPartitions is given; one of them says how to part");
  expectIntegers("partitionDataset", { numPartitions }, 1);
  if (dropLast && !evenDivisible) throw new ConfigError("partitionDataset: dropLast works only with evenDivisible");
  if (data.length < numPartitions)
    throw new ConfigError(`partitionDataset: ${data.length} items are too few for ${numPartitions} partitions`);
  const each = dropLast ? Math.floor(data.length / numPartitions) : Math.ceil(data.length / numPartitions);
  const total = evenDivisible ? each * numPartitions : data.length;
  const whole = [...order, ...order.slice(0, Math.max(0, total - data.length))].slice(0, total);
  return Array.from({ length: numPartitions }, (_, p) => take(whole.filter((_i, k) => k % numPartitions === p)));
}

function byRatios(order: readonly number[], ratios: readonly number[]): number[][] {
  const sum = ratios.reduce((a, b) => a + b, 0);
  let next = 0;
  return ratios.map((r) => {
    const start = next;
    next = Math.min(start + Math.trunc((r / sum) * order.length + 0.5), order.length);
    return order.slice(start, next);
  });
}

/**
 * Parts with the same share of each class: MONAI's `partition_dataset_classes`. `data` stays as it is.
 * @param classes one per item
 * @throws ConfigError as `partitionDataset`, and for another number of classes
 */
export function partitionDatasetClasses<T>(
  data: readonly T[],
  classes: readonly (number | string)[],
  options: PartitionOptions,
): T[][] {
  expectOptions(
    "partitionDatasetClasses",
    options,
    "ratios:numbers? numPartitions:number? shuffle:boolean seed:number dropLast:boolean evenDivisible:boolean",
  );
  expectArguments("partitionDatasetClasses", "list", { data, classes });
  if (classes.length !== data.length)
    throw new ConfigError(`partitionDatasetClasses: ${classes.length} classes for ${data.length} items; expected one each`);
  const byClass = new Map<number | string, number[]>();
  classes.forEach((c, i) => byClass.set(c, [...(byClass.get(c) ?? []), i]));
  const parts: number[][] = [];
  for (const c of [...byClass.keys()].sort((a, b) => (a < b ? -1 : 1))) {
    partitionDataset(byClass.get(c)!, options).forEach((part, p) => (parts[p] ??= []).push(...part));
  }
  const { shuffle = false, seed = 0 } = options;
  const random = new RandomState(seed);
  return parts.map((part) => {
    if (shuffle) random.shuffle(part);
    return part.map((i) => data[i]);
  });
}

/** How the fraction of a list is chosen. */
export interface DatalistOptions {
  /** At random instead of from the beginning; default false. */
  readonly randomPick?: boolean;
  /** Default 0. */
  readonly seed?: number;
}

/**
 * A list `factor` times as long: whole copies, and a part of it for the fraction. MONAI's `resample_datalist`.
 * @param data stays as it is
 */
export function resampleDatalist<T>(data: readonly T[], factor: number, options: DatalistOptions = {}): T[] {
  expectOptions("resampleDatalist", options, "randomPick:boolean seed:number");
  expectArguments("resampleDatalist", "list", { data });
  const { randomPick = false, seed = 0 } = options;
  if (!(factor >= 0 && Number.isFinite(factor)))
    throw new ConfigError(`resampleDatalist: factor is ${factor}; expected a number of 0 or more`);
  const copies = Math.trunc(factor);
  const rest = factor - copies;
  const out = Array.from({ length: copies }, () => data).flat() as T[];
  if (rest > 1e-6) out.push(...partitionDataset(data, { ratios: [rest, 1 - rest], shuffle: randomPick, seed })[0]);
  return out;
}

/**
 * The items of some parts, in the order of `folds`; negative ones count from the end. MONAI's `select_cross_validation_folds`. @throws ConfigError
 * @param partitions the parts, such as `partitionDataset` gives
 */
export function selectCrossValidationFolds<T>(partitions: readonly (readonly T[])[], folds: number | readonly number[]): T[] {
  expectKinds("selectCrossValidationFolds", { lists: { partitions }, spread: { folds } });
  return (typeof folds === "number" ? [folds] : folds).flatMap((fold) => {
    const part = partitions.at(fold);
    if (!Number.isInteger(fold) || !part)
      throw new ConfigError(`selectCrossValidationFolds: there is no fold ${fold}; there are ${partitions.length} partitions`);
    return part as T[];
  });
}

/**
 * Throws if a patient is in more than one part: scores on such a part would mean nothing. from its `id`
 * @param parts ids of the cases of each, by the name of the part, such as { train, val, test }
 * @param groupOf the patient of a case; default by its name, `patientOf`
 * @throws DataError that names the patient, its cases and the parts
 * @param parts ids of the cases of each, by the name of the part, such as { train, val, test }
 */
export function expectNoLeak(
  parts: Readonly<Record<string, readonly string[]>>,
  groupOf: (id: string) => string = patientOf,
): void {
  expectKinds("expectNoLeak", { object: { parts }, function: { groupOf } });
  expectArguments("expectNoLeak", "texts", parts);
  const seen = new Map<string, { readonly part: string; readonly id: string }>();
  for (const [part, ids] of Object.entries(parts)) {
    for (const id of ids) {
      const patient = groupOf(id);
      const before = seen.get(patient);
      if (before && before.part !== part) {
        const cases = before.id === id ? `case "${id}"` : `patient "${patient}" (cases "${before.id}", "${id}")`;
        throw new DataError(
          `expectNoLeak: ${cases} is in both ${before.part} and ${part}; scores on one would not tell about new patients`,
        );
      }
      seen.set(patient, before ?? { part, id });
    }
  }
}
