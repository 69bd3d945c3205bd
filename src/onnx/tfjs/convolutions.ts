/** @file Convolutions and products, alone or with the bias and activation that TensorFlow.js merges into them. */

import type { WeightTensor } from "../../weights/elements.ts";
import { transposed } from "../../weights/tfjs/fields.ts";
import type { AttributeInput, GraphBuilder } from "./builder.ts";
import type { TfNode } from "./graph_def.ts";
import { spatialOf, windowAttributes } from "./fields.ts";
import type { Translator, Translators } from "./translator.ts";

type Attributes = Readonly<Record<string, AttributeInput>>;

/** What may follow inside of a fused operation. */
const activations: Readonly<Record<string, (node: TfNode) => readonly [op: string, attributes: Attributes]>> = {
  Relu: () => ["Relu", {}],
  Elu: () => ["Elu", {}],
  Sigmoid: () => ["Sigmoid", {}],
  Tanh: () => ["Tanh", {}],
  LeakyRelu: (node) => ["LeakyRelu", { alpha: { float: node.number("leakyrelu_alpha", 0.2) } }],
};

/** A fused activation. Its operand, if it has one, comes behind the bias. */
function activated(node: TfNode, g: GraphBuilder, x: string, act: string, rank: number): string {
  if (act === "Relu6") return g.add("Clip", [x, g.scalar(0), g.scalar(6)]);
  if (act === "Prelu") {
    const slope = node.input(3);
    return g.add("PRelu", [x, rank > 2 ? g.asFirst(slope, rank) : g.asLast(slope)]);
  }
  if (!Object.hasOwn(activations, act)) throw node.fail(`the fused operation ${act} is not supported`);
  const [op, attributes] = activations[act](node);
  return g.add(op, [x], attributes);
}

interface Fused {
  /** The name of the bias; undefined without one. */
  readonly bias: string | undefined;
  readonly act: string | undefined;
}

function fusedOf(node: TfNode): Fused {
  const ops = node.texts("fused_ops");
  const [first, ...rest] = ops[0] === "BiasAdd" ? ops.slice(1) : ops;
  if (rest.length > 0) throw node.fail(`fused operations ${ops.join(", ")} are not supported`);
  return { bias: ops[0] === "BiasAdd" ? node.input(2) : undefined, act: first };
}

/** The weights of a node, with their axes as `[out, in, taps…]`. */
function convolve(node: TfNode, g: GraphBuilder, weight: WeightTensor, group: number): void {
  const rank = weight.shape.length;
  const { bias, act } = fusedOf(node);
  const inputs = [g.asFirst(node.input(0), rank), g.constant(weight, node.input(1))];
  if (bias !== undefined) inputs.push(g.asLast(bias));
  const y = g.add("Conv", inputs, {
    ...windowAttributes(node, rank),
    kernel_shape: weight.shape.slice(2),
    dilations: spatialOf(node, "dilations", rank),
    group,
  });
  g.set(node.name, { first: act === undefined ? y : activated(node, g, y, act, rank), rank });
}

const axes = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

function kernelOf(node: TfNode, g: GraphBuilder, rank: number): WeightTensor {
  const kernel = g.known(node.input(1), "its kernel", node.fail);
  if (kernel.shape.length !== rank) throw node.fail(`its kernel has ${kernel.shape.length} axes in place of ${rank}`);
  return kernel;
}

/** `[taps…, a, b]` as `[b, a, taps…]`. */
const tapsLast = (kernel: WeightTensor): WeightTensor => {
  const dims = kernel.shape.length - 2;
  return transposed(kernel, [dims + 1, dims, ...axes(0, dims)]);
};

const convolution =
  (rank: number): Translator =>
  (node, g) =>
    convolve(node, g, tapsLast(kernelOf(node, g, rank)), 1);

const depthwise: Translator = (node, g) => {
  const kernel = kernelOf(node, g, 4);
  const [h, w, channels, multiplier] = kernel.shape;
  const moved = transposed(kernel, [2, 3, 0, 1]);
  convolve(node, g, { ...moved, shape: [channels * multiplier, 1, h, w] }, channels);
};

/** A transposed convolution, `[taps…, out, in]`. Sizes that the data decide are those that Keras makes: n·stride, with "VALID" what the kernel needs. */
const transposedConvolution =
  (rank: number): Translator =>
  (node, g) => {
    const kernel = kernelOf(node, g, rank);
    const strides = spatialOf(node, "strides", rank);
    const window = windowAttributes(node, rank);
    const wanted = g.get(node.input(0)).constant;
    const taps = kernel.shape.slice(0, -2);
    const extra = taps.map((k, a) => Math.max(0, strides[a] - k));
    const size: Attributes = wanted
      ? { output_shape: Array.from(wanted.data).slice(1, -1) }
      : window.auto_pad === "VALID"
        ? { output_padding: extra }
        : {};
    const first = g.add("ConvTranspose", [g.asFirst(node.input(2), rank), g.constant(tapsLast(kernel), node.input(1))], {
      ...window,
      ...size,
      kernel_shape: taps,
      dilations: spatialOf(node, "dilations", rank),
    });
    g.set(node.name, { first, rank });
  };

function product(node: TfNode, g: GraphBuilder, flags: readonly [a: string, b: string]): string {
  const [a, b] = [0, 1].map((i) => {
    const name = g.asLast(node.input(i));
    // However many axes there are.
    return node.flag(flags[i]) ? g.add("Einsum", [name], { equation: "...ij->...ji" }) : name;
  });
  return g.add("MatMul", [a, b]);
}

const matmul: Translator = (node, g) => {
  const { bias, act } = fusedOf(node);
  const plain = product(node, g, ["transpose_a", "transpose_b"]);
  const y = bias === undefined ? plain : g.add("Add", [plain, g.asLast(bias)]);
  g.set(node.name, { last: act === undefined ? y : activated(node, g, y, act, 2), rank: 2 });
};

const batchMatmul: Translator = (node, g) => {
  const { rank } = g.get(node.input(0));
  g.give(node.name, product(node, g, ["adj_x", "adj_y"]), { rank });
};

export const translators: Translators = {
  Conv2D: convolution(4),
  _FusedConv2D: convolution(4),
  Conv3D: convolution(5),
  DepthwiseConv2dNative: depthwise,
  DepthwiseConv2d: depthwise,
  FusedDepthwiseConv2dNative: depthwise,
  Conv2DBackpropInput: transposedConvolution(4),
  Conv3DBackpropInputV2: transposedConvolution(5),
  MatMul: matmul,
  _FusedMatMul: matmul,
  BatchMatMul: batchMatmul,
  BatchMatMulV2: batchMatmul,
};
