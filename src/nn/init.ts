/** @file Initial weights with PyTorch's distributions and, for the same seed and construction order, PyTorch's values. */

import { parameter } from "../autograd/tape.ts";
import type { Device } from "../tensor/device.ts";
import { expectArguments } from "../host/kinds.ts";
import { sizeOf } from "../host/array.ts";
import { TorchGenerator } from "../host/random/torch.ts";
import type { Shape } from "../host/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** The generator that layers draw their initial weights from. */
export const initGenerator = new TorchGenerator(0);

/**
 * Seeds the initial weights of layers made from now on, as `torch.manual_seed`.
 * @param seed an integer; its low 32 bits count
 */
export function manualSeed(seed: number): void {
  expectArguments("manualSeed", "number", { seed });
  initGenerator.seed(seed);
}

/** A parameter drawn from U(−bound, bound). Throws `TensorTooLargeError`. */
export function uniformParameter(device: Device, shape: Shape, bound: number): Tensor {
  device.pool.expectFits(4 * sizeOf(shape)); // before the host tries
  return parameter(device.tensor({ data: initGenerator.uniform(-bound, bound, sizeOf(shape)), shape }));
}

/** A parameter full of one value. Throws `TensorTooLargeError`. */
export function constantParameter(device: Device, shape: Shape, value: number): Tensor {
  device.pool.expectFits(4 * sizeOf(shape)); // before the host tries
  return parameter(device.tensor({ data: new Float32Array(sizeOf(shape)).fill(value), shape }));
}

/**
 * The bound of a convolution's or linear layer's default initialization: kaiming_uniform with a = √5 (He et al. 2015) is U(±1/√fanIn),
 * and so is the bias. The factor is formed as torch forms it, so that the values agree in every bit.
 */
export function kaimingBound(fanIn: number): number {
  const gain = Math.sqrt(2 / (1 + 5));
  return Math.sqrt(3) * (gain / Math.sqrt(fanIn));
}

/** Draws `t` anew from N(0, std²). */
function normalInit(t: Tensor, std: number): void {
  t.device.write(t, { data: initGenerator.normal(0, std, t.size), shape: t.shape });
}

// Axis 1 and the taps, for transposed weights too, as torch counts.
const fanIn = (shape: Shape): number => sizeOf(shape.slice(1));

/** Draws a convolution's weight anew as `kaiming_normal_` for a leaky ReLU of slope `a` (He et al. 2015): N(0, 2 / ((1 + a²) · fanIn)). */
export function kaimingNormalInit(weight: Tensor, a = 0): void {
  normalInit(weight, Math.sqrt(2 / (1 + a * a)) / Math.sqrt(fanIn(weight.shape)));
}

/**
 * Draws the weight `[out · factorᵈ, in, taps…]` of a sub-pixel convolution anew so that it starts as nearest-neighbor upsampling (ICNR, Aitken
 * et al. 2017), with the values in MONAI's order, which mixes channels and taps.
 */
export function icnrInit(weight: Tensor, factor: number): void {
  const [out, channels, ...taps] = weight.shape;
  const copies = factor ** taps.length;
  const inner = sizeOf(taps);
  const rows = Math.floor(out / copies);
  const drawn = initGenerator.normal(0, Math.sqrt(2) / Math.sqrt(channels * inner), rows * channels * inner);
  // Seen as [in, rows, taps], then flat in pieces of `inner`, each piece `copies` times, then seen as [in, out, taps].
  const data = new Float32Array(weight.size);
  for (let c = 0; c < channels; c++) {
    for (let o = 0; o < out; o++) {
      const piece = Math.floor((c * out + o) / copies);
      const from = ((piece % rows) * channels + Math.floor(piece / rows)) * inner;
      data.set(drawn.subarray(from, from + inner), (o * channels + c) * inner);
    }
  }
  weight.device.write(weight, { data, shape: weight.shape });
}
