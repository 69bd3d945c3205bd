/** @file Convolution and transposed convolution with gradients; each one's input gradient is the other. */

import { expectConvWords } from "./option_words.ts";
import * as kernels from "../kernels/conv/conv.ts";
import {
  convFlops,
  type ConvOptions,
  convPadding,
  convShape,
  type ConvTransposeOptions,
  convTransposeShape,
} from "../kernels/conv/shape.ts";
import { convWeightGradient } from "../kernels/conv/weight_gradient.ts";
import { unaryGradient } from "../kernels/pointwise.ts";
import { expectKind } from "../tensor/kind.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { pad, type PadMode } from "./pad.ts";
import { computed } from "./precision.ts";
import { add } from "./pointwise.ts";
import { type Backward, observed, record } from "./tape.ts";
import { expectOptions } from "../host/options.ts";
import { sameShape } from "../host/shape.ts";

export type { ConvBaseOptions, ConvOptions, ConvTransposeOptions, Padding } from "../kernels/conv/shape.ts";

/**
 * Convolution (cross-correlation, as in PyTorch) over 1, 2 or 3 spatial axes.
 * @param x `[N, in, spatial…]`
 * @param weight `[out, in / groups, taps…]`
 * @param bias `[out]`
 * @returns `[N, out, ⌊(size + both paddings − dilation·(taps − 1) − 1) / stride⌋ + 1 …]`
 * @throws ShapeError
 */
export function conv(x: Tensor, weight: Tensor, bias?: Tensor, options: ConvOptions = {}): Tensor {
  expectOptions("conv", options, "padding paddingMode activation stride dilation groups");
  expectKind("conv", bias === undefined ? { x, weight } : { x, weight, bias });
  return convolved(x, weight, bias, options);
}

/** `conv`, and a tensor added to its result, in the same pass where it has the result's shape and type. Throws `ShapeError`. */
export function convPlus(x: Tensor, weight: Tensor, bias: Tensor | undefined, residual: Tensor, options: ConvOptions): Tensor {
  x = computed(x);
  const { outShape } = convShape(x.shape, weight.shape, bias?.shape, options);
  const alike = residual.dtype === x.dtype && sameShape(residual.shape, outShape);
  // To observers these are two operations.
  const together = alike && options.activation !== "relu" && !observed();
  return together ? convolved(x, weight, bias, options, residual) : add(convolved(x, weight, bias, options), residual);
}

function convolved(x: Tensor, weight: Tensor, bias: Tensor | undefined, options: ConvOptions, residual?: Tensor): Tensor {
  expectConvWords("conv", options);
  const { paddingMode = "zeros" } = options;
  if (paddingMode !== "zeros") return padded(x, weight, bias, options, paddingMode, residual);
  const g = convShape(x.shape, weight.shape, bias?.shape, options);
  const relu = options.activation === "relu";
  x = computed(x);
  const y = kernels.conv(x, weight, bias, g, { relu, residual });
  const backward: Backward = (dy, needs, sofar) => {
    const d = relu ? unaryGradient("relu", y, dy) : dy;
    const parts = [
      needs[0] ? kernels.convInputGradient(d, weight, g, x.shape, sofar(0)) : undefined,
      needs[1] ? convWeightGradient(d, x, g, weight.shape) : undefined,
      needs[2] ? kernels.convBiasGradient(d) : undefined,
      residual && dy,
    ];
    if (relu) d.dispose();
    return parts;
  };
  return record("conv", [x, weight, bias, residual], y, backward, { options }, convFlops(g));
}

// Only zeros are free in the kernel; anything else is a copy of the input with its margins.
function padded(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | undefined,
  options: ConvOptions,
  mode: PadMode,
  residual: Tensor | undefined,
): Tensor {
  const ends = convPadding(x.shape, weight.shape, options);
  const wide = pad(x, ends.toReversed().flat(), { mode });
  const y = convolved(wide, weight, bias, { ...options, padding: 0, paddingMode: "zeros" }, residual);
  if (y.origin === undefined) wide.dispose();
  return y;
}

/**
 * Transposed convolution over 1, 2 or 3 spatial axes.
 * @param x `[N, in, spatial…]`
 * @param weight `[in, out / groups, taps…]`
 * @param bias `[out]`
 * @returns `[N, out, (size − 1)·stride − both paddings + dilation·(taps − 1) + outputPadding + 1 …]`
 * @throws ShapeError
 */
export function convTranspose(x: Tensor, weight: Tensor, bias?: Tensor, options: ConvTransposeOptions = {}): Tensor {
  expectOptions("convTranspose", options, "padding outputPadding stride dilation groups");
  expectKind("convTranspose", bias === undefined ? { x, weight } : { x, weight, bias });
  const g = convTransposeShape(x.shape, weight.shape, bias?.shape, options);
  const backward: Backward = (dy, needs, sofar) => [
    needs[0] ? kernels.convTransposeInputGradient(dy, weight, g, x.shape, sofar(0)) : undefined,
    needs[1] ? convWeightGradient(x, dy, g, weight.shape) : undefined,
    needs[2] ? kernels.convBiasGradient(dy) : undefined,
  ];
  x = computed(x);
  const y = kernels.convTranspose(x, weight, bias, g);
  return record("convTranspose", [x, weight, bias], y, backward, { options }, convFlops(g));
}
