/** @file Chains of transforms (`Compose`), sync or async. */
import { given, nameOfFunction } from "./given.ts";
import { expectArguments } from "../../host/kinds.ts";
import { ConfigError } from "../../host/errors.ts";
import type { HostArray } from "../../host/array.ts";
import { RandomState, type RandomSource } from "../../host/random/numpy.ts";
import { sourceOf } from "./source_of.ts";
import { Passage } from "./give_back.ts";
import { invert, type InvertOptions, isVolume } from "./moved.ts";
import { allOptions } from "./options.ts";
import { isRandomizable, type Randomizable, type Transform, type TransformState } from "./transform.ts";

const isArray = (v: unknown): v is HostArray => typeof v === "object" && v !== null && "data" in v && "shape" in v;

/** How a chain treats what lies between its transforms. */
export interface ComposeOptions {
  /**
   * Give the memory of arrays between two transforms back as soon as the next has read them, in place of waiting for the garbage collector: chains of volumes
   * take a third less memory and less time. For transforms that keep nothing of what they read or made, as all of the library's, and functions under
   * `Lambda` that do: an array that is given back has no elements left. What the chain is given, and what it gives, stays. Default false.
   */
  readonly reuseMemory?: boolean;
}

function applied<X>(step: ChainStep<X>, x: X): X | X[] {
  if (typeof step !== "function") return step.apply(x);
  const value = step(x);
  if (!(value instanceof Promise)) return given(step, value);
  value.catch(() => {}); // told below
  throw new ConfigError(`Compose: ${nameOfFunction(step)} works asynchronously; use applyAsync, or a dataset`);
}

/** A step of a chain: a transform, or a function that gives what comes of `x` and does not change it. */
export type ChainStep<X = HostArray> = Transform<X> | ((x: X) => X | X[] | Promise<X | X[]>);

/**
 * Applies transforms in order; what follows a multi-sample transform is applied to each sample. Functions of the value that goes through, an array or an item,
 * stand between them as they are. MONAI's `Compose`.
 *
 * Shapes: those of its transforms.
 * Geometry: that of its transforms.
 * Draws: `setRandomState` draws one seed below 2³² for each random transform, in order.
 * @throws what its transforms throw, ConfigError for a function that gives nothing
 */
export class Compose<X = HostArray> implements Transform<X>, Randomizable {
  /** The chain, in the order they are applied. */
  readonly transforms: readonly ChainStep<X>[];
  /** Whether memory between them is given back at once. */
  readonly reuseMemory: boolean;

  /** @param options nothing of MONAI's: `lazy` and other ways of applying a chain are refused */
  constructor(transforms: readonly ChainStep<X>[], options: ComposeOptions = {}) {
    expectArguments("Compose", "steps", { transforms });
    this.transforms = transforms;
    this.reuseMemory = allOptions("Compose", options, "reuseMemory:boolean", { reuseMemory: false }).reuseMemory;
  }

  apply(x: X): X | X[] {
    const passage = this.reuseMemory ? new Passage(x) : undefined;
    let value: X | X[] = x;
    for (const t of this.transforms) {
      const next: X | X[] = Array.isArray(value) ? value.flatMap((v: X) => applied(t, v)) : applied(t, value);
      passage?.giveBack(value, next);
      value = next;
    }
    return value;
  }

  /** `apply`, waiting for the transforms that have `applyAsync`, such as those that read files. `x` is an array, an item or whatever the first takes. */
  async applyAsync(x: X): Promise<X | X[]> {
    const passage = this.reuseMemory ? new Passage(x) : undefined;
    let values: X[] = [x];
    let several = false;
    for (const t of this.transforms) {
      const next: X[] = [];
      for (const value of values) {
        const result = typeof t === "function" ? given(t, await t(value)) : await (t.applyAsync?.(value) ?? t.apply(value));
        several ||= Array.isArray(result);
        if (Array.isArray(result)) for (const r of result) next.push(r);
        else next.push(result);
      }
      passage?.giveBack(values, next);
      values = next;
    }
    return several ? values : values[0];
  }

  /**
   * Takes the volumes of a value back to the space of the files that they came from: the steps in their `meta.applied` are undone, see `invert`.
   * Other arrays and entries stay as they are. `x` is a volume or an item.
   */
  inverse(x: X, options: InvertOptions = {}): X {
    const back = (v: unknown): unknown => (isArray(v) && isVolume(v) ? invert(v, options) : v);
    if (typeof x !== "object" || x === null || isArray(x)) return back(x) as X;
    return Object.fromEntries(Object.entries(x).map(([key, v]) => [key, back(v)])) as X;
  }

  /** Each random transform gets its own seed, drawn below 2^32 in order from `RandomState(seed)` or the given source. */
  setRandomState(seed: number | RandomSource): this {
    const random = sourceOf(seed);
    for (const t of this.transforms) if (isRandomizable(t)) t.setRandomState(new RandomState(random.randint(2 ** 32)));
    return this;
  }

  getState(): TransformState {
    return this.transforms.map((t) => (isRandomizable(t) ? t.getState() : null));
  }

  setState(state: TransformState): void {
    if (!Array.isArray(state) || state.length !== this.transforms.length) {
      throw new ConfigError(
        `Compose.setState: expected a list of ${this.transforms.length} states, one per transform; the pipeline differs from the saved one`,
      );
    }
    this.transforms.forEach((t, i) => {
      if (isRandomizable(t)) t.setState(state[i] as TransformState);
    });
  }
}
