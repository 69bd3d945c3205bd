/** @file Operators of onnxruntime's own domain that its optimizer makes of several: what they are made of. */

import { layerNorm } from "../../../autograd/norm.ts";
import * as f from "../../../autograd/pointwise.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { full } from "../../../kernels/view.ts";
import type { Call } from "../call.ts";
import type { Operators } from "../operator.ts";
import { convolution } from "./conv.ts";
import { gemm, multiplied } from "./matmul.ts";

const activations: Readonly<Record<string, (x: Tensor, p: (i: number, fallback: number) => number) => Tensor>> = {
  "": (x) => x,
  Clip: (x, p) => f.clamp(x, p(0, -3.4e38), p(1, 3.4e38)),
  HardSigmoid: (x, p) => f.clamp(f.affine(x, p(0, 0.2), p(1, 0.5)), 0, 1),
  LeakyRelu: (x, p) => f.leakyRelu(x, p(0, 0.01)),
  Relu: f.relu,
  Sigmoid: f.sigmoid,
  Tanh: f.tanh,
};

function activated(c: Call, x: Tensor): Tensor {
  const given = c.attribute("activation_params")?.floats ?? [];
  const name = c.choice("activation", ["", ...Object.keys(activations)]);
  return activations[name](x, (i, fallback) => given[i] ?? fallback);
}

function convolved(c: Call): Tensor {
  const y = convolution(c);
  return activated(c, c.has(3) ? f.add(y, c.float(3)) : y);
}

/** The norm of a sum, and the sum itself, which is the last of four results. */
function skipNorm(c: Call): Tensor[] {
  if (c.node.outputs[1] || c.node.outputs[2]) throw c.unsupported("the outputs of mean and deviation");
  const sum = f.add(c.float(0), c.float(1));
  const x = c.has(4) ? f.add(sum, c.float(4)) : sum;
  const trailing = [x.shape.at(-1)!];
  const bias = c.optional(3) ?? full(c.device, trailing, 0);
  const y = layerNorm(x, trailing, c.float(2), bias, { eps: c.floatAttribute("epsilon", 1e-12) });
  // Nothing reads the two between.
  return [y, y, y, x];
}

export const operators: Operators = {
  "com.microsoft::FusedConv": { device: convolved },
  "com.microsoft::FusedGemm": { device: (c) => activated(c, gemm(c)) },
  "com.microsoft::FusedMatMul": { device: (c) => f.affine(multiplied(c), c.floatAttribute("alpha", 1)) },
  "com.microsoft::SkipLayerNormalization": { device: skipNorm },
};
