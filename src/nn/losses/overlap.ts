/** @file What Dice-like losses share: their options, the fused region sums they rest on, and how losses per sample and class are reduced. */

import { mul } from "../../autograd/pointwise.ts";
import { mean, sum } from "../../autograd/reduce.ts";
import { cast } from "../../autograd/cast.ts";
import type { Reduction } from "../../autograd/cross_entropy.ts";
import { regionSums, type RegionOptions } from "../../autograd/region.ts";
import { reshape, slice } from "../../autograd/view.ts";
import { ConfigError, ShapeError } from "../../host/errors.ts";
import { scope } from "../../tensor/scope.ts";
import { showShape } from "../../host/shape.ts";
import { expectKind } from "../../tensor/kind.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/** Options that `OverlapLossOptions`, `HausdorffDTLossOptions` share. */
export interface TargetOptions {
  /** Count channel 0; ignored for one channel. */
  readonly includeBackground?: boolean;
  /** The target holds class indices on one channel; default false. Ignored for one channel. */
  readonly toOnehotY?: boolean;
  /** Default false; at most one activation. */
  readonly sigmoid?: boolean;
  /** Over the channels; default false. Ignored for one channel. */
  readonly softmax?: boolean;
  /** Applied to the input before anything else. It keeps the shape. */
  readonly otherAct?: (x: Tensor) => Tensor;
}

/** Options that `DiceLossOptions`, `TverskyLossOptions`, `GeneralizedDiceLossOptions` share. */
export interface OverlapLossOptions extends TargetOptions {
  /** Default "mean". */
  readonly reduction?: Reduction;
  /** Added to the numerator; default 1e-5. */
  readonly smoothNr?: number;
  /** Added to the denominator; default 1e-5. */
  readonly smoothDr?: number;
  /** Sum over the batch before the ratio; default false. */
  readonly batch?: boolean;
  /** Positions with this class index count for nothing; with `toOnehotY`. */
  readonly ignoreIndex?: number | undefined;
}

/** The names of these options. */
export const overlapLossNames =
  "reduction smoothNr:number smoothDr:number batch:boolean ignoreIndex:number includeBackground:boolean toOnehotY:boolean sigmoid:boolean softmax:boolean otherAct:function";

/** Overlap, prediction and target, `[1, N, C]` each, with N = 1 over the batch and C the classes that count. */
export interface Overlap {
  readonly overlap: Tensor;
  readonly prediction: Tensor;
  readonly target: Tensor;
}

/** Runs a loss made of operations. If nothing is to be noted, what it leaves behind is freed at once. */
export function composed(input: Tensor, fn: () => Tensor): Tensor {
  return input.requiresGrad || input.origin !== undefined ? fn() : scope(fn);
}

export function expectReduction(op: string, reduction: unknown, allowed: readonly Reduction[] = ["mean", "sum", "none"]): void {
  if (!allowed.includes(reduction as Reduction)) {
    const names = allowed.map((r) => `"${r}"`).join(", ");
    throw new ConfigError(`${op}: reduction must be one of ${names}, got ${JSON.stringify(reduction)}`);
  }
}

/** Throws `ConfigError` for more than one activation. */
export function expectTargetOptions(op: string, options: TargetOptions): void {
  const { sigmoid, softmax, otherAct } = options;
  if ([sigmoid, softmax, otherAct].filter(Boolean).length > 1)
    throw new ConfigError(`${op}: give at most one of sigmoid, softmax and otherAct`);
}

/** Whether to compute what `upstream` does where it is at fault. Throws `ConfigError` for another word. */
export function wantsCompat(op: string, compat: unknown, upstream: string): boolean {
  if (compat === undefined || compat === upstream) return compat === upstream;
  throw new ConfigError(`${op}: compat must be "${upstream}" or left out, got ${JSON.stringify(compat)}`);
}

/** Classes that count. */
export const countedClasses = (input: Tensor, { includeBackground = true }: TargetOptions): number =>
  input.shape[1] - (includeBackground || input.shape[1] === 1 ? 0 : 1);

/** The region sums of a loss with these options, of the classes that count. Throws `ShapeError`, `ConfigError`. */
export function overlapOf(
  op: string,
  input: Tensor,
  target: Tensor,
  options: OverlapLossOptions,
  region: Pick<RegionOptions, "mode" | "mask" | "maskOf"> = {},
): Overlap {
  expectTargetOptions(op, options);
  const { reduction = "mean" } = options;
  expectReduction(op, reduction);
  expectKind(op, { input, target });
  if (input.rank < 2) throw new ShapeError(`${op}: input must be [N, C, spatial…], got ${showShape(input.shape)}`);
  const { sigmoid, softmax, otherAct, batch = false } = options;
  const single = input.shape[1] === 1;
  const indexTarget = (options.toOnehotY ?? false) && !single;
  if (!indexTarget && !single && target.shape[1] === 1) {
    throw new ShapeError(
      `${op}: the target ${showShape(target.shape)} has one channel, the input ${showShape(input.shape)} has ${input.shape[1]}; ` +
        "for class indices set the option toOnehotY: true",
    );
  }
  let sums = regionSums(otherAct ? otherAct(input) : input, indexTarget ? target : cast(target, "f32"), {
    ...region,
    activation: sigmoid ? "sigmoid" : softmax && !single ? "softmax" : "none",
    indexTarget,
    op,
    ignoreIndex: options.ignoreIndex,
  });
  if (countedClasses(input, options) < input.shape[1]) sums = slice(sums, [undefined, undefined, [1]]);
  if (batch) sums = sum(sums, 1, { keepDims: true });
  const part = (k: number) => slice(sums, [[k, k + 1]]);
  return { overlap: part(0), prediction: part(1), target: part(2) };
}

/** Reduces losses `[1, N, C]` (N = 1 over the batch); "none" gives `[N, C]`, or `[C]` over the batch, with `ones` axes of size 1 behind. */
export function reduced(loss: Tensor, { reduction = "mean", batch }: OverlapLossOptions, ones: number): Tensor {
  if (reduction === "mean") return mean(loss);
  if (reduction === "sum") return sum(loss);
  const shape = batch ? loss.shape.slice(2) : loss.shape.slice(1);
  return reshape(loss, [...shape, ...new Array<number>(ones).fill(1)]);
}

/** `[1, 1, C]` of class factors. */
export function perClass(loss: Tensor, factors: readonly number[]): Tensor {
  return mul(loss, loss.device.tensor({ data: factors, shape: [1, 1, factors.length] }));
}
