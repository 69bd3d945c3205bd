/** @file Losses for tubes such as vessels: Dice of center lines that are found by pooling, so that it has a gradient. */

import { expectKind } from "../../tensor/kind.ts";
import { add, affine, div, maximum, mul, neg, relu, sub } from "../../autograd/pointwise.ts";
import { maxPool } from "../../autograd/pool.ts";
import { sum } from "../../autograd/reduce.ts";
import { cast } from "../../autograd/cast.ts";
import { noGrad } from "../../autograd/tape.ts";
import { slice } from "../../autograd/view.ts";
import { ConfigError, ShapeError } from "../../host/errors.ts";
import { expectOptions } from "../../host/options.ts";
import { sameShape, showShape } from "../../host/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { composed } from "./overlap.ts";

/** Options of `softclDiceLoss`. */
export interface SoftclDiceLossOptions {
  /** How often the mask is thinned; half of the thickest tube's width in voxels is enough. Default 3. */
  readonly iter?: number;
  /** Added to numerators and denominators. Default 1. */
  readonly smooth?: number;
}

/** Options of `softDiceclDiceLoss`. */
export interface SoftDiceclDiceLossOptions extends SoftclDiceLossOptions {
  /** Share of the center lines' Dice in the loss, the rest is that of the masks. Default 0.5. */
  readonly alpha?: number;
}

function expectMasks(op: string, input: Tensor, target: Tensor, iter: number): void {
  expectKind(op, { input, target });
  if ((input.rank !== 4 && input.rank !== 5) || !sameShape(input.shape, target.shape)) {
    throw new ShapeError(
      `${op}: input and target must be [N, C, H, W] or [N, C, D, H, W] alike, got ${showShape(input.shape)} and ${showShape(target.shape)}`,
    );
  }
  if (input.shape[1] < 2)
    throw new ShapeError(`${op}: channel 0 is the background and does not count, so two channels are needed, got 1`);
  if (!(Number.isInteger(iter) && iter >= 0)) throw new ConfigError(`${op}: iter must be an integer from 0 up, got ${iter}`);
}

/** The least of a voxel and its neighbors along each axis. */
function eroded(x: Tensor): Tensor {
  const flipped = neg(x);
  const dims = x.rank - 2;
  const along = Array.from({ length: dims }, (_, axis) => {
    const kernelSize = Array.from({ length: dims }, (_unused, a) => (a === axis ? 3 : 1));
    return maxPool(flipped, { kernelSize, stride: 1, padding: kernelSize.map((k) => (k - 1) / 2) });
  });
  return neg(along.reduce((a, b) => maximum(a, b)));
}

const opened = (x: Tensor): Tensor => maxPool(eroded(x), { kernelSize: 3, stride: 1, padding: 1 });

/** What openings take away while the mask is thinned. */
function skeleton(mask: Tensor, iter: number): Tensor {
  let image = mask;
  let lines = relu(sub(image, opened(image)));
  for (let i = 0; i < iter; i++) {
    image = eroded(image);
    const more = relu(sub(image, opened(image)));
    lines = add(lines, relu(sub(more, mul(lines, more))));
  }
  return lines;
}

const foreground = (x: Tensor): Tensor => sum(slice(x, [undefined, [1]]));

function centerLineLoss(input: Tensor, target: Tensor, iter: number, smooth: number): Tensor {
  const share = (lines: Tensor, mask: Tensor): Tensor =>
    div(affine(foreground(mul(lines, mask)), 1, smooth), affine(foreground(lines), 1, smooth));
  const precision = share(skeleton(input, iter), target);
  const sensitivity = share(
    noGrad(() => skeleton(target, iter)),
    input,
  );
  return affine(div(mul(precision, sensitivity), add(precision, sensitivity)), -2, 1);
}

/**
 * 1 − Dice of center lines: how much of the prediction's lies in the target, and of the target's in the prediction (Shit et al. 2021, clDice), over the
 * whole batch without channel 0. MONAI's `SoftclDiceLoss`, whose arguments are the other way around. No gradient flows to the target.
 * @param input probabilities `[N, C, H, W]` or `[N, C, D, H, W]`, two channels or more
 * @param target masks of the same shape
 * @returns one number
 * @throws ShapeError, ConfigError
 */
export function softclDiceLoss(input: Tensor, target: Tensor, options: SoftclDiceLossOptions = {}): Tensor {
  expectOptions("softclDiceLoss", options, "iter:number smooth:number");
  const { iter = 3, smooth = 1 } = options;
  expectMasks("softclDiceLoss", input, target, iter);
  return composed(input, () => centerLineLoss(input, cast(target, "f32"), iter, smooth));
}

/**
 * (1 − alpha) · Dice loss of the masks + alpha · `softclDiceLoss`, both over the whole batch without channel 0. MONAI's `SoftDiceclDiceLoss`; arguments and
 * errors as there.
 * @param input probabilities `[N, C, H, W]` or `[N, C, D, H, W]`
 */
export function softDiceclDiceLoss(input: Tensor, target: Tensor, options: SoftDiceclDiceLossOptions = {}): Tensor {
  expectOptions("softDiceclDiceLoss", options, "iter:number smooth:number alpha:number");
  const { iter = 3, smooth = 1, alpha = 0.5 } = options;
  expectMasks("softDiceclDiceLoss", input, target, iter);
  return composed(input, () => {
    const truth = cast(target, "f32");
    const overlap = affine(foreground(mul(input, truth)), 2, smooth);
    const dice = affine(div(overlap, affine(add(foreground(truth), foreground(input)), 1, smooth)), -1, 1);
    return add(affine(dice, 1 - alpha), affine(centerLineLoss(input, truth, iter, smooth), alpha));
  });
}
