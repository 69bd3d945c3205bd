/** @file Which items an epoch has, and in which order: samplers of a loader. The same epoch always gives the same indices. */

import { expectArguments } from "../../host/kinds.ts";
import { expectOptions } from "../../host/options.ts";
import { ConfigError } from "../../host/errors.ts";
import { expectIntegers } from "../../host/integers.ts";
import { RandomState } from "../../host/random/numpy.ts";

/** Chooses the items of an epoch. */
export interface Sampler {
  /** How many indices an epoch has. */
  readonly length: number;
  /** Indices of items for epoch `epoch`. */
  indices(epoch: number): number[];
}

/** How `WeightedRandomSampler` draws. */
export interface WeightedSamplerOptions {
  /** Draws per epoch; default one per item. */
  readonly numSamples?: number;
  /** Whether an item may come more than once; default true. */
  readonly replacement?: boolean;
  /** Default 0. */
  readonly seed?: number;
}

/** Draws items in proportion to their weights, which need not add up to 1. PyTorch's `WeightedRandomSampler`, with numpy's draws. */
export class WeightedRandomSampler implements Sampler {
  readonly length: number;
  private readonly p: readonly number[];
  private readonly replacement: boolean;
  private readonly seed: number;

  /** @throws ConfigError for weights below 0 or all 0, and for more draws without replacement than there are items of weight */
  constructor(weights: readonly number[], options: WeightedSamplerOptions = {}) {
    expectOptions("WeightedRandomSampler", options, "numSamples:number replacement:boolean seed:number");
    expectArguments("WeightedRandomSampler", "weights", { weights });
    const { numSamples = weights.length, replacement = true, seed = 0 } = options;
    const total = weights.reduce((a, b) => a + b, 0);
    if (!weights.every((w) => w >= 0) || !(total > 0 && Number.isFinite(total)))
      throw new ConfigError("WeightedRandomSampler: weights must be finite numbers from 0 up, one of them above 0");
    expectIntegers("WeightedRandomSampler", { numSamples }, 1);
    const positive = weights.filter((w) => w > 0).length;
    if (!replacement && numSamples > positive)
      throw new ConfigError(
        `WeightedRandomSampler: ${numSamples} draws without replacement, but only ${positive} items have a weight above 0`,
      );
    this.length = numSamples;
    this.p = weights.map((w) => w / total);
    this.replacement = replacement;
    this.seed = seed;
  }

  indices(epoch: number): number[] {
    return new RandomState([this.seed, epoch]).choice(this.p.length, this.length, { replace: this.replacement, p: this.p });
  }
}

/** Weights that make every class as likely as any other: one by the number of items of its class. @param classes one per item */
export function classBalancedWeights(classes: readonly (number | string)[]): number[] {
  expectArguments("classBalancedWeights", "list", { classes });
  const counts = new Map<number | string, number>();
  for (const c of classes) counts.set(c, (counts.get(c) ?? 0) + 1);
  return classes.map((c) => 1 / counts.get(c)!);
}
