/** @file What a run is: one flat record, saved as config.json in the run's folder. */

import { ConfigError } from "../../host/errors.ts";

export interface RunConfig {
  /** Folder with `dataset.json` in Decathlon or nnU-Net layout. */
  readonly data: string;
  /** Fold of `splits_final.json`, or "all" to train and validate on all cases. */
  readonly fold: number | "all";
  readonly seed: number;
  readonly epochs: number;
  readonly batchSize: number;
  /** Slices taken from each volume per epoch. */
  readonly samplesPerVolume: number;
  /** Share of the slices that are centred on a foreground voxel, the rest on background; 0 takes slices uniformly. */
  readonly foreground: number;
  /** Array axis that slices are taken along: 0, 1 or 2. */
  readonly sliceAxis: number;
  /** Size of a training slice and of the inference window. */
  readonly patchSize: readonly [number, number];
  /** How slices become `patchSize`: resized, or padded and cropped around the centre. */
  readonly fit: "resize" | "crop";
  /** Intensities to [0, 1], or to zero mean and unit variance, per volume. */
  readonly normalize: "scale" | "zscore";
  /** "rotate" turns volumes by 90° at random; "mild" flips and varies brightness, contrast and noise. */
  readonly augment: "none" | "rotate" | "mild";
  readonly channels: readonly number[];
  readonly numResUnits: number;
  /** Adam's learning rate at the start. */
  readonly lr: number;
  /** How it falls over the epochs: "poly" is (1 − e/E)^0.9. */
  readonly schedule: "constant" | "poly";
  /** Element type of the activations in training; "f16" scales the loss dynamically and needs an adapter that has it. */
  readonly precision: "f32" | "f16";
  /** Threads that prepare data. */
  readonly numWorkers: number;
  /** Validate every so many epochs, and after the last. */
  readonly validateEvery: number;
  /** Seconds between checkpoints inside an epoch. */
  readonly checkpointSeconds: number;
  /** Accept training cases without any foreground. */
  readonly allowEmpty: boolean;
}

const positive = (v: unknown) => Number.isInteger(v) && (v as number) >= 1;
const natural = (v: unknown) => Number.isInteger(v) && (v as number) >= 0;
const oneOf =
  (...names: string[]) =>
  (v: unknown) =>
    names.includes(v as string);
const positives = (count: number, exact: boolean) => (v: unknown) =>
  Array.isArray(v) && (exact ? v.length === count : v.length >= count) && v.every(positive);

/** Each option: what it must be, in words for the message and as a test. */
const rules: { [K in keyof RunConfig]: readonly [string, (v: unknown) => boolean] } = {
  data: ["a folder", (v) => typeof v === "string" && v !== ""],
  fold: ['a fold number from 0 or "all"', (v) => v === "all" || natural(v)],
  seed: ["an integer from 0", natural],
  epochs: ["a positive integer", positive],
  batchSize: ["a positive integer", positive],
  samplesPerVolume: ["a positive integer", positive],
  foreground: ["a number from 0 to 1", (v) => typeof v === "number" && v >= 0 && v <= 1],
  sliceAxis: ["0, 1 or 2", (v) => v === 0 || v === 1 || v === 2],
  patchSize: ["two positive integers", positives(2, true)],
  fit: ['"resize" or "crop"', oneOf("resize", "crop")],
  normalize: ['"scale" or "zscore"', oneOf("scale", "zscore")],
  augment: ['"none", "rotate" or "mild"', oneOf("none", "rotate", "mild")],
  channels: ["at least two positive integers", positives(2, false)],
  numResUnits: ["an integer from 0", natural],
  lr: ["a positive number", (v) => typeof v === "number" && v > 0 && Number.isFinite(v)],
  schedule: ['"constant" or "poly"', oneOf("constant", "poly")],
  precision: ['"f32" or "f16"', oneOf("f32", "f16")],
  numWorkers: ["an integer from 0", natural],
  validateEvery: ["a positive integer", positive],
  checkpointSeconds: ["a positive number", (v) => typeof v === "number" && v > 0],
  allowEmpty: ["true or false", (v) => typeof v === "boolean"],
};

/** The names of all options. */
export const optionNames = Object.keys(rules) as (keyof RunConfig)[];

/** Checks a record from a file or a command line. Throws `ConfigError` naming the first option that is unknown, missing or out of range. */
export function checkConfig(value: unknown, source: string): RunConfig {
  if (typeof value !== "object" || value === null) throw new ConfigError(`${source}: expected a record of options`);
  const record: Record<string, unknown> = { precision: "f32", ...value }; // runs before 0.2 do not say
  for (const name of Object.keys(record)) {
    if (!(name in rules)) throw new ConfigError(`${source}: unknown option "${name}"; known are ${optionNames.join(", ")}`);
  }
  for (const name of optionNames) {
    const [words, fits] = rules[name];
    if (!fits(record[name])) throw new ConfigError(`${source}: ${name} must be ${words}, got ${JSON.stringify(record[name])}`);
  }
  const config = record as unknown as RunConfig;
  const multiple = 2 ** (config.channels.length - 1);
  if (config.patchSize.some((n) => n % multiple !== 0)) {
    throw new ConfigError(
      `${source}: patchSize [${config.patchSize}] must be multiples of ${multiple} for ${config.channels.length} levels of channels`,
    );
  }
  return config;
}

/** The learning rate of an epoch, from 0. */
export function learningRate(config: RunConfig, epoch: number): number {
  return config.schedule === "poly" ? config.lr * (1 - epoch / config.epochs) ** 0.9 : config.lr;
}
