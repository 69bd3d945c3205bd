/** @file One call for all that is random. */

import { ConfigError } from "../host/errors.ts";
import { expectOptions } from "../host/options.ts";
import { setDefaultSeed } from "../host/random/default_seed.ts";
import type { Device } from "../tensor/device.ts";
import { manualSeed } from "./init.ts";
import { seedDropout } from "./layers/dropout.ts";

/** Options of `setDeterminism`. */
export interface DeterminismOptions {
  /** A device on which dropout layers were made already: their generator starts anew with the seed. */
  readonly device?: Device;
}

/**
 * Seeds all that is random, as `monai.utils.set_determinism`: initial weights, dropout, the order and the draws of loaders without a `seed`, and random
 * transforms without a state of their own. Call it first. Kernels need no switch: the same inputs give the same bits on one device. Throws
 * `ConfigError` unless the seed is a whole number of 0 … 2³² − 1.
 */
export function setDeterminism(seed: number, options: DeterminismOptions = {}): void {
  expectOptions("setDeterminism", options, "device");
  if (!Number.isInteger(seed) || seed < 0 || seed >= 2 ** 32)
    throw new ConfigError(`setDeterminism: the seed must be a whole number of 0 … 2³² − 1, got ${seed}`);
  setDefaultSeed(seed);
  manualSeed(seed);
  if (options.device) seedDropout(options.device, seed);
}
