/** @file Cross-entropy whose logits are held to the classes around a voxel, for calibrated networks. */

import { expectKind } from "../../tensor/kind.ts";
import { conv } from "../../autograd/conv.ts";
import { crossEntropyLoss } from "../../autograd/cross_entropy.ts";
import { abs, add, affine, square, sub } from "../../autograd/pointwise.ts";
import { mean } from "../../autograd/reduce.ts";
import { noGrad } from "../../autograd/tape.ts";
import { reshape } from "../../autograd/view.ts";
import { ConfigError, ShapeError } from "../../host/errors.ts";
import { gaussianWeights } from "../../host/gaussian.ts";
import { expectOptions } from "../../host/options.ts";
import { sameShape, showShape } from "../../host/shape.ts";
import { oneHot } from "../../kernels/indexing.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { composed } from "./overlap.ts";

/** Options of `naclLoss`. */
export interface NACLLossOptions {
  /** Voxels along each axis that kernelOps "mean" takes, odd. Default 3. */
  readonly kernelSize?: number;
  /** How the classes around a voxel are counted. Default "mean". */
  readonly kernelOps?: "mean" | "gaussian";
  /** Absolute ("l1") or squared ("l2") differences. Default "l1". */
  readonly distanceType?: "l1" | "l2";
  /** Factor of the differences. Default 0.1. */
  readonly alpha?: number;
  /** Standard deviation of kernelOps "gaussian", in voxels. Default 1. */
  readonly sigma?: number;
}

function expectChoice(name: string, value: string, choices: readonly string[]): void {
  if (!choices.includes(value))
    throw new ConfigError(`naclLoss: ${name} must be ${choices.map((c) => `"${c}"`).join(" or ")}, got ${JSON.stringify(value)}`);
}

/** Each class' share around every voxel, 0 beyond the image: one axis after the other. */
function smoothed(classes: Tensor, weights: Float64Array): Tensor {
  const [channels, ...spatial] = classes.shape.slice(1);
  return spatial.reduce((x, _, axis) => {
    const along = spatial.map((__, a) => (a === axis ? weights.length : 1));
    const data = Float32Array.from({ length: channels * weights.length }, (__, i) => weights[i % weights.length]);
    const kernel = x.device.tensor({ data, shape: [channels, 1, ...along] });
    return conv(x, kernel, undefined, { groups: channels, padding: along.map((k) => (k - 1) / 2) });
  }, classes);
}

/**
 * Cross-entropy + alpha · mean difference between the logits and the share of each class in the target around the voxel (Murugesan et al. 2023, Trust
 * your neighbors). MONAI's `NACLLoss`; classes and axes are those of the input.
 * @param input logits `[N, C, H, W]` or `[N, C, D, H, W]`
 * @param target class indices `[N, H, W]` or `[N, D, H, W]`
 * @returns one number
 * @throws ShapeError, ConfigError
 */
export function naclLoss(input: Tensor, target: Tensor, options: NACLLossOptions = {}): Tensor {
  expectOptions("naclLoss", options, "kernelSize:number kernelOps distanceType alpha:number sigma:number");
  expectKind("naclLoss", { input, target });
  const { kernelSize = 3, kernelOps = "mean", distanceType = "l1", alpha = 0.1, sigma = 1 } = options;
  expectChoice("kernelOps", kernelOps, ["mean", "gaussian"]);
  expectChoice("distanceType", distanceType, ["l1", "l2"]);
  if (!(Number.isInteger(kernelSize) && kernelSize % 2 === 1 && kernelSize > 0))
    throw new ConfigError(`naclLoss: kernelSize must be odd, got ${kernelSize}`);
  if ((input.rank !== 4 && input.rank !== 5) || !sameShape(target.shape, input.shape.toSpliced(1, 1))) {
    throw new ShapeError(
      `naclLoss: input must be [N, C, H, W] or [N, C, D, H, W] and target the same without C, got ${showShape(input.shape)} and ${showShape(target.shape)}`,
    );
  }
  const weights =
    kernelOps === "gaussian" ? gaussianWeights("naclLoss", sigma) : new Float64Array(kernelSize).fill(1 / kernelSize);
  return composed(input, () => {
    const wanted = noGrad(() => {
      const index = reshape(target, [target.shape[0], 1, ...target.shape.slice(1)]);
      return smoothed(oneHot(index, input.shape[1]), weights);
    });
    const difference = sub(wanted, input);
    const distance = mean(distanceType === "l1" ? abs(difference) : square(difference));
    return add(crossEntropyLoss(input, target), affine(distance, alpha));
  });
}
