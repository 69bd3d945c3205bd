/** @file What a step of the recipe "nnunet" is: the network's outputs at all levels, nnU-Net's loss on them, and the optimizer. */

import { float32 } from "../../../autograd/precision.ts";
import { sum } from "../../../autograd/reduce.ts";
import { gt, mul, ne } from "../../../autograd/pointwise.ts";
import { cast } from "../../../autograd/cast.ts";
import { regionSums } from "../../../autograd/region.ts";
import { concat, slice } from "../../../autograd/view.ts";
import { full } from "../../../kernels/view.ts";
import { deepSupervisionLoss } from "../../../nn/losses/compound.ts";
import { dcAndBCELoss, dcAndCELoss, deepSupervisionWeights } from "../../../nn/losses/nnunet.ts";
import type { Module } from "../../../nn/module.ts";
import { Adam } from "../../../nn/optim/adam.ts";
import type { Optimizer } from "../../../nn/optim/optimizer.ts";
import { polynomialDecay, type Schedule } from "../../../nn/optim/rates.ts";
import { SGD } from "../../../nn/optim/sgd.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import type { NnUNet } from "../../networks/nnunet_parts.ts";
import type { OutputCoding } from "../../post/output_coding.ts";
import { classCounts } from "../class_counts.ts";
import { shortSchedule } from "../../training/short_runs.ts";
import type { BatchTensors, Outputs } from "../../training/trainer.ts";

/** What the loss depends on. */
export interface LossOptions {
  readonly outputs: OutputCoding;
  /** Dice of a batch in place of the mean of its samples'. */
  readonly batchDice: boolean;
}

/** Logits of all levels, from fine to coarse. */
export const forwardLevels = (model: Module, image: Tensor): readonly Tensor[] => (model as NnUNet).forwardAll(image);

/** Whether labels have a class (or a last mask) for voxels that do not count. */
const ignores = ({ ignore }: OutputCoding): boolean => ignore !== undefined;

function lossOf(output: Tensor, label: Tensor, { outputs, batchDice }: LossOptions): Tensor {
  const softDice = { batchDice, smooth: 1e-5, doBg: outputs.kind !== "softmax" };
  if (outputs.kind !== "softmax") return dcAndBCELoss(output, label, { softDice, useIgnoreLabel: ignores(outputs) });
  return dcAndCELoss(output, label, { softDice, ...(ignores(outputs) && { ignoreLabel: outputs.channels }) });
}

/** Dice and cross-entropy at all levels but the coarsest, the finer ones with more weight. */
export function lossOfLevels(outputs: Outputs, { label }: BatchTensors, options: LossOptions): Tensor {
  const levels = "storage" in outputs ? [outputs] : outputs;
  const weights = deepSupervisionWeights(levels.length);
  return deepSupervisionLoss(levels, label, (y, target) => lossOf(y, target, options), { weights });
}

/** Voxels of a batch by class, `[3, 1 + foreground]`: in both, in the prediction, in the truth; of regions the background's are 0. */
export function countsOfLevels(levels: Outputs, { label }: BatchTensors, outputs: OutputCoding): Tensor {
  const output = "storage" in levels ? levels : levels[0];
  if (outputs.kind === "softmax") return classCounts(output, label, ignores(outputs) ? { ignoreIndex: outputs.channels } : {});
  const masks = cast(label, "f32");
  const found = gt(float32(output), 0);
  const counted = ignores(outputs) ? ne(slice(masks, [undefined, [-1]]), 1) : undefined;
  const truth = counted ? slice(masks, [undefined, [0, -1]]) : masks;
  const sums = sum(regionSums(counted ? mul(found, counted) : found, counted ? mul(truth, counted) : truth), 1);
  return concat([full(output.device, [3, 1], 0), sums], 1);
}

/** nnU-Net's SGD, or Adam. */
export function optimizerOf(
  model: Module,
  { optimizer, lr, weightDecay }: { readonly optimizer: "sgd" | "adam"; readonly lr: number; readonly weightDecay: number },
): Optimizer {
  if (optimizer === "adam") return new Adam(model.parameters(), { lr, weightDecay });
  return new SGD(model.parameters(), { lr, momentum: 0.99, nesterov: true, weightDecay });
}

/** nnU-Net's, which falls to 0 as a polynomial; Adam's is for short runs. */
export function scheduleOf({ optimizer, epochs }: { readonly optimizer: "sgd" | "adam"; readonly epochs: number }): Schedule {
  return optimizer === "sgd" ? polynomialDecay({ totalIters: epochs, power: 0.9 }) : shortSchedule(epochs);
}

/** Bound of the norm of all gradients, nnU-Net's. */
export const clipNorm = 12;
