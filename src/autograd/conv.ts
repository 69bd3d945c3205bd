/** @file Convolution and transposed convolution with gradients; each one's input gradient is the other. */

import * as kernels from "../kernels/conv.ts";
import type { ConvOptions, ConvTransposeOptions } from "../kernels/conv.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { record } from "./tape.ts";

/**
 * Convolution (cross-correlation, as in PyTorch) over 1, 2 or 3 spatial axes.
 * @param x `[N, in, spatial…]`
 * @param weight `[out, in, taps…]`
 * @param bias `[out]`
 * @returns `[N, out, ⌊(size + 2·padding − dilation·(taps − 1) − 1) / stride⌋ + 1 …]`
 * @throws ShapeError
 */
export function conv(x: Tensor, weight: Tensor, bias?: Tensor, options: ConvOptions = {}): Tensor {
  const g = kernels.convShape(x.shape, weight.shape, bias?.shape, options);
  return record("conv", [x, weight, bias], kernels.conv(x, weight, bias, g), (dy, needs) => [
    needs[0] ? kernels.convInputGradient(dy, weight, g, x.shape) : undefined,
    needs[1] ? kernels.convWeightGradient(dy, x, g, weight.shape) : undefined,
    needs[2] ? kernels.convBiasGradient(dy) : undefined,
  ]);
}

/**
 * Transposed convolution over 1, 2 or 3 spatial axes.
 * @param x `[N, in, spatial…]`
 * @param weight `[in, out, taps…]`
 * @param bias `[out]`
 * @returns `[N, out, (size − 1)·stride − 2·padding + dilation·(taps − 1) + outputPadding + 1 …]`
 * @throws ShapeError
 */
export function convTranspose(x: Tensor, weight: Tensor, bias?: Tensor, options: ConvTransposeOptions = {}): Tensor {
  const g = kernels.convTransposeShape(x.shape, weight.shape, bias?.shape, options);
  return record("convTranspose", [x, weight, bias], kernels.convTranspose(x, weight, bias, g), (dy, needs) => [
    needs[0] ? kernels.convTransposeInputGradient(dy, weight, g, x.shape) : undefined,
    needs[1] ? kernels.convWeightGradient(x, dy, g, weight.shape) : undefined,
    needs[2] ? kernels.convBiasGradient(dy) : undefined,
  ]);
}
