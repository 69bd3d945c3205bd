/** @file Initial weights with PyTorch's distributions and, for the same seed and construction order, PyTorch's values. */

import { parameter } from "../autograd/tape.ts";
import type { Device } from "../tensor/device.ts";
import { sizeOf } from "../tensor/host.ts";
import { TorchGenerator } from "../tensor/random.ts";
import type { Shape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** The generator that layers draw their initial weights from. */
export const initGenerator = new TorchGenerator(0);

/** Seeds the initial weights of layers made from now on, as `torch.manual_seed`. */
export function manualSeed(seed: number): void {
  initGenerator.seed(seed);
}

/** A parameter drawn from U(−bound, bound). */
export function uniformParameter(device: Device, shape: Shape, bound: number): Tensor {
  return parameter(device.tensor({ data: initGenerator.uniform(-bound, bound, sizeOf(shape)), shape }));
}

/** A parameter full of one value. */
export function constantParameter(device: Device, shape: Shape, value: number): Tensor {
  return parameter(device.tensor({ data: new Float32Array(sizeOf(shape)).fill(value), shape }));
}

/**
 * The bound of a convolution's or linear layer's default initialisation: kaiming_uniform with a = √5 (He et al. 2015) is U(±1/√fanIn),
 * and so is the bias. The factor is formed as torch forms it, so that the values agree in every bit.
 */
export function kaimingBound(fanIn: number): number {
  const gain = Math.sqrt(2 / (1 + 5));
  return Math.sqrt(3) * (gain / Math.sqrt(fanIn));
}
