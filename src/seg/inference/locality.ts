/** @file How far a network looks: what each voxel of its output depends on, found by following a forward pass that only is traced. */

import { expectDevice } from "../../tensor/kind.ts";
import { expectArguments } from "../../host/kinds.ts";
import { convPadding, type ConvOptions } from "../../kernels/conv/shape.ts";
import { binaryOps, comparisons, unaryOps } from "../../kernels/pointwise.ts";
import { noGrad, observing } from "../../autograd/tape.ts";
import { spatial } from "../../host/shape.ts";
import { ShapeError } from "../../host/errors.ts";
import { evaluating } from "../../nn/evaluating.ts";
import { Conv } from "../../nn/layers/conv.ts";
import { type Module, expectModule } from "../../nn/module.ts";
import type { Device } from "../../tensor/device.ts";
import { Plan } from "../../tensor/plan.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/** What is known of a network whose outputs depend on voxels nearby only, at every place in the same way. */
export interface Locality {
  /** Voxels along each axis that an output depends on, to either side. */
  readonly halo: readonly number[];
  /** The pointwise convolution that its outputs come from, if it ends with one. */
  readonly head: Conv | undefined;
}

// Each voxel of the result from the same voxel of the inputs.
const pointwise = new Set([
  ...[unaryOps, binaryOps, comparisons].flatMap((ops) => Object.keys(ops)),
  "where",
  "cast",
  "dropout",
  "prelu",
  "fixedBatchNorm",
]);

/**
 * How far a network looks in evaluation mode, or undefined for one that looks everywhere or differently from place to place: with strides, pools, interpolation, or
 * statistics of the image.
 * @param channels of its images
 * @param spatialDims of its images
 */
export function localityOf(device: Device, network: Module, channels: number, spatialDims: number): Locality | undefined {
  expectDevice("localityOf", device);
  expectModule("localityOf", { network });
  expectArguments("localityOf", "number", { channels, spatialDims });
  const walk = new Walk();
  const shape = [1, channels, ...new Array<number>(spatialDims).fill(16)];
  try {
    const forward = (x: Tensor) => {
      walk.begin(x);
      const y = observing(walk.note, () => noGrad(() => evaluating([network], () => network.forward(x))));
      walk.end(y);
      return y;
    };
    new Plan(device, [{ data: new Float32Array(0), shape }], forward).dispose(); // only traced: nothing is loaded
  } catch (error) {
    // Down-sampling that this size does not go through.
    if (error instanceof ShapeError) return undefined;
    throw error;
  }
  const { halo, headWeight } = walk;
  if (!halo) return undefined;
  const heads = [...network.modules()].filter((m) => m instanceof Conv);
  return { halo, head: headWeight && heads.find((m) => m.weight === headWeight) };
}

class Walk {
  halo: readonly number[] | undefined;
  headWeight: Tensor | undefined;
  // How far what follows from the image has looked; what follows from weights only.
  private readonly seen = new Map<Tensor, readonly number[]>();
  private readonly constant = new Set<Tensor>();
  private last: { readonly result: Tensor; readonly weight: Tensor | undefined } | undefined;

  begin(x: Tensor): void {
    this.seen.set(
      x,
      x.shape.slice(2).map(() => 0),
    );
  }

  end(y: Tensor): void {
    this.halo = this.seen.get(y);
    if (this.last?.result === y) this.headWeight = this.last.weight;
  }

  readonly note = (
    op: string,
    inputs: readonly (Tensor | undefined)[],
    result: Tensor,
    args: Readonly<Record<string, unknown>>,
  ) => {
    const given = inputs.filter((t) => t !== undefined);
    const local = given.filter((t) => this.seen.has(t));
    const known = given.every((t) => this.seen.has(t) || this.constant.has(t) || !t.storage.virtual);
    this.last = undefined;
    if (!known) return;
    if (local.length === 0) {
      this.constant.add(result);
      return;
    }
    const reach = reachOf(op, given, result, args);
    // Inputs that the rule does not allow for would be weights made of the image.
    if (!reach || (op === "conv" && local.length > 1)) return;
    this.seen.set(
      result,
      reach.map((r, axis) => r + Math.max(...local.map((t) => this.seen.get(t)![axis]))),
    );
    const { options } = args as { options?: ConvOptions };
    const plain = op === "conv" && given[1].shape.slice(2).every((k) => k === 1) && (options?.groups ?? 1) === 1;
    const linear = (options?.activation ?? "none") === "none";
    this.last = { result, weight: plain && linear ? given[1] : undefined };
  };
}

/** How far an operation looks along each axis; undefined if that is not so at every place. */
function reachOf(
  op: string,
  [x, weight, ...others]: readonly Tensor[],
  result: Tensor,
  args: Readonly<Record<string, unknown>>,
): readonly number[] | undefined {
  const size = result.shape.slice(2);
  const same = (t: Tensor | undefined) => t === undefined || t.shape.slice(2).join() === size.join();
  const none = size.map(() => 0);
  if (op === "conv") return same(x) ? convReach(x, weight, args.options as ConvOptions) : undefined;
  if (op === "softmax" || op === "logSoftmax" || op === "concat")
    return args.axis === 1 && [x, weight, ...others].every(same) ? none : undefined;
  if (!pointwise.has(op)) return undefined;
  const spread = (t: Tensor | undefined) => same(t) || t!.shape.slice(2).every((n) => n === 1);
  // What a layer has per channel is no image.
  return op === "fixedBatchNorm" || op === "prelu"
    ? same(x)
      ? none
      : undefined
    : [x, weight, ...others].every(spread)
      ? none
      : undefined;
}

function convReach(x: Tensor, weight: Tensor, options: ConvOptions): readonly number[] | undefined {
  const taps = weight.shape.slice(2);
  const stride = spatial("conv", "stride", options.stride ?? 1, taps.length, 1);
  if (stride.some((s) => s !== 1)) return undefined;
  const dilation = spatial("conv", "dilation", options.dilation ?? 1, taps.length, 1);
  const ends = convPadding(x.shape, weight.shape, options);
  return taps.map((k, axis) => Math.max(ends[axis][0], dilation[axis] * (k - 1) - ends[axis][0]));
}
