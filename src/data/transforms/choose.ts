/** @file Chains that draw which of their transforms are applied, and in which order: `OneOf`, `SomeOf`, `RandomOrder`. */
import { expectArguments } from "../../host/kinds.ts";
import { ConfigError } from "../../host/errors.ts";
import type { HostArray } from "../../host/array.ts";
import { RandomState, type RandomSource } from "../../host/random/numpy.ts";
import { Compose } from "./compose.ts";
import { checkedOptions } from "./options.ts";
import { Drawing, isRandomizable, type Transform, type TransformState } from "./transform.ts";

/** Base of what applies some of its transforms, drawn anew for each value. */
export abstract class Choosing<X = HostArray> extends Drawing implements Transform<X> {
  /** What is drawn from. */
  readonly transforms: readonly Transform<X>[];

  /** @param transforms what is drawn from, arrays' or items' as in `Compose` */
  constructor(transforms: readonly Transform<X>[]) {
    super();
    expectArguments(new.target.name, "transforms", { transforms });
    this.transforms = transforms;
  }

  /** Draws the transforms to apply, by their places in the list. */
  protected abstract chosen(): number[];

  apply(x: X): X | X[] {
    return this.chain().apply(x);
  }

  /** `apply`, waiting for the transforms that have `applyAsync`. `x` is what the transforms take. */
  applyAsync(x: X): Promise<X | X[]> {
    return this.chain().applyAsync(x);
  }

  private chain(): Compose<X> {
    return new Compose(this.chosen().map((i) => this.transforms[i]));
  }

  /** Draws from `RandomState(seed)` or the given source; each random transform gets a seed of its own, drawn below 2^32 in order. */
  override setRandomState(seed: number | RandomSource): this {
    super.setRandomState(seed);
    for (const t of this.transforms) if (isRandomizable(t)) t.setRandomState(new RandomState(this.random.randint(2 ** 32)));
    return this;
  }

  /** Its own state, then that of each transform, null for those without. */
  override getState(): TransformState {
    return [super.getState(), ...this.transforms.map((t) => (isRandomizable(t) ? t.getState() : null))];
  }

  override setState(state: TransformState): void {
    if (!Array.isArray(state) || state.length !== this.transforms.length + 1)
      throw new ConfigError(
        `${this.constructor.name}.setState: expected a list of ${this.transforms.length + 1} states; the pipeline differs from the saved one`,
      );
    const [own, ...others] = state as readonly TransformState[];
    super.setState(own);
    this.transforms.forEach((t, i) => {
      if (isRandomizable(t)) t.setState(others[i]);
    });
  }
}

/** Weights as probabilities. @throws ConfigError for another number of them, negative ones, and if all are 0 */
function probabilities(op: string, weights: readonly number[], count: number): number[] {
  const sum = weights.reduce((a, b) => a + b, 0);
  if (weights.length !== count || !weights.every((w) => w >= 0) || !(sum > 0 && Number.isFinite(sum)))
    throw new ConfigError(`${op}: weights must be ${count} numbers from 0 up, not all 0, got [${weights.join(", ")}]`);
  return weights.map((w) => w / sum);
}

/** How `OneOf` draws. */
export interface OneOfOptions {
  /** How likely each transform is, in any unit. Default: all alike. */
  readonly weights?: readonly number[] | null;
}

/**
 * Applies one of its transforms, drawn anew for each value; of none, gives what it gets. MONAI's `OneOf`.
 *
 * Shapes: those of its transforms.
 * Geometry: that of its transforms.
 * Draws: `rand()` for each transform until one is taken, the last being what is left.
 * @throws ConfigError for weights that are none and unknown options, and what its transforms throw
 */
export class OneOf<X = HostArray> extends Choosing<X> {
  private readonly odds: readonly number[];

  constructor(transforms: readonly Transform<X>[], options: OneOfOptions = {}) {
    super(transforms);
    const { weights } = checkedOptions("OneOf", options, "weights:numbers");
    const count = transforms.length;
    this.odds = count === 0 ? [] : probabilities("OneOf", weights ?? new Array<number>(count).fill(1), count);
  }

  /** NumPy's multinomial of one: each transform is taken with its share of what is left. */
  protected chosen(): number[] {
    const { odds } = this;
    let left = 1;
    for (let i = 0; i < odds.length - 1; i++) {
      const share = odds[i] / left;
      // A share of 0 draws nothing, one above a half from the other side.
      if (share > 0 && (share <= 0.5 ? this.random.rand() > 1 - share : this.random.rand() <= share)) return [i];
      left -= odds[i];
      if (left <= 0) break;
    }
    return odds.length === 0 ? [] : [odds.length - 1];
  }
}

/** How `SomeOf` draws. */
export interface SomeOfOptions {
  /** How many are applied, or the least and the most. Default all. */
  readonly numTransforms?: number | readonly [number, number] | null;
  /** Whether one may be applied more than once. Default false. */
  readonly replace?: boolean;
  /** How likely each transform is, in any unit. Default: all alike. */
  readonly weights?: readonly number[] | null;
}

/**
 * Applies some of its transforms in the order in which they are drawn, anew for each value. MONAI's `SomeOf`.
 *
 * Shapes: those of its transforms.
 * Geometry: that of its transforms.
 * Draws: `randint(least, most + 1)`, then `choice(transforms, …)`.
 * @throws ConfigError for numbers that are not whole or beyond the list, weights that are none and unknown options, and what its transforms throw
 */
export class SomeOf<X = HostArray> extends Choosing<X> {
  private readonly counts: readonly [number, number];
  private readonly replace: boolean;
  private readonly odds: readonly number[] | undefined;

  constructor(transforms: readonly Transform<X>[], options: SomeOfOptions = {}) {
    super(transforms);
    const { numTransforms, replace, weights } = checkedOptions(
      "SomeOf",
      options,
      "numTransforms:sizes replace:boolean weights:numbers",
    );
    const all = transforms.length;
    const n = numTransforms ?? all;
    const counts = typeof n === "number" ? [Math.min(n, all), Math.min(n, all)] : n;
    if (counts.length !== 2 || !counts.every((v) => Number.isInteger(v) && v >= 0 && v <= all) || counts[0] > counts[1])
      throw new ConfigError(
        `SomeOf: numTransforms must be a whole number or two in rising order, up to ${all}, got ${JSON.stringify(n)}`,
      );
    this.counts = [counts[0], counts[1]];
    this.replace = replace ?? false;
    this.odds = weights ? probabilities("SomeOf", weights, all) : undefined;
  }

  protected chosen(): number[] {
    if (this.transforms.length === 0) return [];
    const count = this.random.randint(this.counts[0], this.counts[1] + 1);
    return this.random.choice(this.transforms.length, count, { replace: this.replace, ...(this.odds && { p: this.odds }) });
  }
}

/**
 * Applies all of its transforms in an order that is drawn anew for each value. MONAI's `RandomOrder`.
 *
 * Shapes: those of its transforms.
 * Geometry: that of its transforms.
 * Draws: `permutation(transforms)`.
 * @throws what its transforms throw
 */
export class RandomOrder<X = HostArray> extends Choosing<X> {
  protected chosen(): number[] {
    return this.random.permutation(this.transforms.length);
  }
}
