/** @file Functions as transforms: `Identity`, `RandIdentity`, `Lambda`, `RandLambda`. */
import { expectArguments } from "../../../host/kinds.ts";
import { ConfigError } from "../../../host/errors.ts";
import type { HostArray } from "../../../host/array.ts";
import { required } from "../../../host/defaults.ts";
import { MaybeTransform, RandomTransform, type Transform } from "../transform.ts";
import { allOptions } from "../options.ts";

/** A function from array to array; it must not change its argument. Any shape. */
export type ArrayFunction = (x: HostArray) => HostArray;

/**
 * Gives what it gets. MONAI's `Identity`.
 *
 * Shapes: any, unchanged.
 * Geometry: kept.
 */
export class Identity implements Transform {
  apply(x: HostArray): HostArray {
    expectArguments("Identity", "array", { x });
    return x;
  }
}

/**
 * Gives what it gets, and counts as random: caches keep nothing from here on. MONAI's `RandIdentity`.
 *
 * Shapes: any, unchanged.
 * Geometry: kept.
 * Draws: none.
 */
export class RandIdentity extends RandomTransform {
  randomize(): void {}
  applyDrawn(x: HostArray): HostArray {
    return x;
  }
}

/**
 * A function as a transform. MONAI's `Lambda`.
 *
 * Shapes: those of the function.
 * Geometry: kept where the function keeps it. `func` is the function.
 * @throws ConfigError for what is not a function and an unknown option, and what the function throws
 */
export class Lambda implements Transform {
  private readonly func: ArrayFunction;

  constructor(options: { readonly func: ArrayFunction }) {
    this.func = allOptions("Lambda", options, "func:function", { func: required }).func;
    expectFunction("Lambda", this.func);
  }

  apply(x: HostArray): HostArray {
    expectArguments("Lambda", "array", { x });
    return this.func(x);
  }
}

function expectFunction(op: string, func: unknown): void {
  if (typeof func !== "function") throw new ConfigError(`${op}: func must be a function, got ${typeof func}`);
}

/**
 * A function with probability `prob` (default 1). MONAI's `RandLambda`.
 *
 * Shapes: those of the function.
 * Geometry: kept where the function keeps it.
 * Draws: `rand()` against `prob`. `func` is the function.
 * @throws ConfigError for what is not a function, a `prob` outside 0 … 1 and an unknown option, and what the function throws
 */
export class RandLambda extends MaybeTransform {
  private readonly func: ArrayFunction;

  constructor(options: { readonly func: ArrayFunction; readonly prob?: number }) {
    const { func, prob } = allOptions("RandLambda", options, "func:function prob:number", { func: required, prob: 1 });
    super("RandLambda", prob);
    this.func = func;
    expectFunction("RandLambda", func);
  }

  protected draw(): void {}
  protected act(x: HostArray): HostArray {
    return this.func(x);
  }
}
