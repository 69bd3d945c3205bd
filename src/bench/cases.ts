/** @file What `voxgrad bench` times: the operations that networks spend their time in, at sizes that a software adapter does in minutes. */

import { conv, type ConvOptions, convTranspose, type ConvTransposeOptions } from "../autograd/conv.ts";
import { instanceNorm } from "../autograd/norm.ts";
import { add, relu } from "../autograd/pointwise.ts";
import { prelu } from "../autograd/prelu.ts";
import { softmax } from "../autograd/softmax.ts";
import type { Shape } from "../host/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** Something to time. */
export interface BenchCase {
  /** `<operation> <what of it>`, for the table and the filter. */
  readonly name: string;
  /** Shapes of the f32 inputs by name. */
  readonly inputs: Readonly<Record<string, Shape>>;
  /** The forward pass. The result may have any shape. */
  readonly run: (inputs: Readonly<Record<string, Tensor>>) => Tensor;
  /** Inputs whose gradients belong to a training step; default all, `[]` for what has no gradient. */
  readonly differentiable?: readonly string[];
  /** Operations of the forward pass; default what convolutions, matrix products and operations of `defineOp` in it say of themselves. */
  readonly flops?: number;
  /** Bytes that the forward pass reads and writes at least; default those of inputs and result. */
  readonly bytes?: number;
}

type Run = (tensors: Readonly<Record<string, Tensor>>, args: object) => Tensor;

const ops: Readonly<Record<string, Run>> = {
  conv: ({ x, weight }, args: ConvOptions) => conv(x, weight, undefined, args),
  convTranspose: ({ x, weight }, args: ConvTransposeOptions) => convTranspose(x, weight, undefined, args),
  instanceNorm: ({ x }) => instanceNorm(x),
  prelu: ({ x, weight }) => prelu(x, weight),
  relu: ({ x }) => relu(x),
  add: ({ a, b }) => add(a, b),
  softmax: ({ x }, { axis = 1 }: { axis?: number }) => softmax(x, axis),
};

const image = [4, 16, 128, 128];
const volume = [1, 16, 48, 48, 48];
const deconv = { stride: 2, padding: 1, outputPadding: 1 };

/** Operation, what of it, shapes of the inputs, and arguments. */
type SmallCase = readonly [op: string, label: string, inputs: BenchCase["inputs"], args?: object];

/** What a software adapter does in seconds. */
export const smallCases: readonly SmallCase[] = [
  ["conv", "2-D 4x32->64x128² k3", { x: [4, 32, 128, 128], weight: [64, 32, 3, 3] }, { padding: 1 }],
  ["conv", "2-D 4x16->16x128² k3", { x: image, weight: [16, 16, 3, 3] }, { padding: 1 }],
  ["conv", "2-D 4x1->16x128² k3 s2", { x: [4, 1, 128, 128], weight: [16, 1, 3, 3] }, { padding: 1, stride: 2 }],
  ["conv", "2-D 16x128->128x6² k3", { x: [16, 128, 6, 6], weight: [128, 128, 3, 3] }, { padding: 1 }],
  ["conv", "3-D 1x16->32x48³ k3", { x: volume, weight: [32, 16, 3, 3, 3] }, { padding: 1 }],
  ["convTranspose", "2-D 4x32->16x64² k3 s2", { x: [4, 32, 64, 64], weight: [32, 16, 3, 3] }, deconv],
  ["convTranspose", "3-D 1x32->16x24³ k2 s2", { x: [1, 32, 24, 24, 24], weight: [32, 16, 2, 2, 2] }, { stride: 2 }],
  ["instanceNorm", "4x16x128²", { x: image }],
  ["instanceNorm", "1x16x48³", { x: volume }],
  ["prelu", "4x16x128²", { x: image, weight: [1] }],
  ["relu", "4x16x128²", { x: image }],
  ["add", "4x16x128²", { a: image, b: image }],
  ["softmax", "4x3x128²", { x: [4, 3, 128, 128] }, { axis: 1 }],
];

/** The cases of `voxgrad bench`. */
export const benchCases: readonly BenchCase[] = smallCases.map(([op, label, inputs, args = {}]) => ({
  name: `${op} ${label}`,
  inputs,
  run: (tensors) => ops[op](tensors, args),
}));
