/** @file Convolutions and products of TensorFlow.js, each alone: what is merged into them, their layouts, and sizes that are left open, against loops on the host. */

import { expect, test } from "vitest";
import { type HostArray, sizeOf } from "../../../src/host/array.ts";
import { importTfjsGraph } from "../../../src/onnx/index.ts";
import type { TfjsModel, WeightTensor } from "../../../src/weights/index.ts";
import { device } from "../../lib/device.ts";

const text = (s: string) => ({ s: btoa(s) });
const ints = (list: readonly number[]) => ({ list: { i: list.map(String) } });
const texts = (list: readonly string[]) => ({ list: { s: list.map((s) => btoa(s)) } });

const wave = (shape: readonly number[], by: number): WeightTensor => ({
  data: Float32Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(by * (i + 1))),
  shape: [...shape],
  dtype: "F32",
});

/** What a graph of one operation makes of `x` in TensorFlow's layout, given as voxgrad has it: channels first. */
async function computed(x: HostArray, op: string, attr: object, constants: Record<string, WeightTensor>, order?: string[]) {
  const gpu = await device();
  const node = [
    { name: "x", op: "Placeholder", attr: { shape: { shape: { dim: x.shape.map((n) => ({ size: String(n) })) } } } },
    ...Object.keys(constants).map((name) => ({ name, op: "Const" })),
    { name: "y", op, input: order ?? ["x", ...Object.keys(constants)], attr },
  ];
  const weights = new Map(Object.entries(constants));
  const plain = { source: "test", format: "graph-model", signature: {}, kerasVersion: "", skipped: [] } as const;
  const model = importTfjsGraph(gpu, { ...plain, topology: { node }, weights } satisfies TfjsModel);
  const given = x.shape.length > 3 ? channelsFirst(x) : x;
  const { y } = model.run({ x: gpu.tensor({ data: Float32Array.from(given.data), shape: given.shape }) });
  const result = { data: Array.from(await y.data()), shape: [...y.shape] };
  model.dispose();
  return result;
}

/** `[N, H, W, C]` as `[N, C, H, W]`. */
function channelsFirst({ data, shape }: HostArray): { data: number[]; shape: number[] } {
  const [n, h, w, c] = shape;
  const out = Array.from({ length: sizeOf(shape) }, (_, i) => {
    const [q, p, ch, b] = [i % w, Math.floor(i / w) % h, Math.floor(i / (w * h)) % c, Math.floor(i / (w * h * c))];
    return data[((b * h + p) * w + q) * c + ch];
  });
  return { data: out, shape: [n, c, h, w] };
}

/** VALID convolution `[1, H, W, C]` by `[kh, kw, C, M]`, or depthwise `[kh, kw, C, multiplier]`. */
function convolved(x: HostArray, k: HostArray, stride: number, each = false): HostArray {
  const [, h, w, c] = x.shape;
  const [kh, kw, , m] = k.shape;
  const [oh, ow, oc] = [Math.floor((h - kh) / stride) + 1, Math.floor((w - kw) / stride) + 1, each ? c * m : m];
  const data = new Float64Array(oh * ow * oc);
  for (let p = 0; p < oh; p++)
    for (let q = 0; q < ow; q++)
      for (let i = 0; i < kh; i++)
        for (let j = 0; j < kw; j++)
          for (let ch = 0; ch < c; ch++)
            for (let o = 0; o < m; o++) {
              const value = x.data[((p * stride + i) * w + q * stride + j) * c + ch] * k.data[((i * kw + j) * c + ch) * m + o];
              data[(p * ow + q) * oc + (each ? ch * m + o : o)] += value;
            }
  return { data, shape: [1, oh, ow, oc] };
}

interface Values {
  readonly data: ArrayLike<number>;
  readonly shape: readonly number[];
}

function expectClose(got: Values, wanted: Values): void {
  expect(got.shape).toEqual(wanted.shape);
  for (let i = 0; i < wanted.data.length; i++) expect(Math.abs(got.data[i] - wanted.data[i]), `element ${i}`).toBeLessThan(5e-6);
}

const each = (x: HostArray, f: (value: number, channel: number) => number): HostArray => ({
  data: Float64Array.from(x.data, (v, i) => f(v, i % x.shape.at(-1)!)),
  shape: x.shape,
});

const x = wave([1, 7, 6, 3], 0.37);
const kernel = wave([3, 2, 3, 4], 0.81);
const bias = wave([4], 1.3);
const slope = wave([4], 2.1);
const sliding = { strides: ints([1, 2, 2, 1]), padding: text("VALID"), data_format: text("NHWC") };

test.each<[name: string, attr: object, constants: Record<string, WeightTensor>, f: (v: number, c: number) => number]>([
  ["nothing", {}, {}, (v) => v],
  ["a bias", { fused_ops: texts(["BiasAdd"]) }, { bias }, (v, c) => v + bias.data[c]],
  ["relu without a bias", { fused_ops: texts(["Relu"]) }, {}, (v) => Math.max(0, v)],
  ["elu", { fused_ops: texts(["BiasAdd", "Elu"]) }, { bias }, (v, c) => ((u) => (u > 0 ? u : Math.expm1(u)))(v + bias.data[c])],
  ["sigmoid", { fused_ops: texts(["BiasAdd", "Sigmoid"]) }, { bias }, (v, c) => 1 / (1 + Math.exp(-v - bias.data[c]))],
  ["tanh", { fused_ops: texts(["BiasAdd", "Tanh"]) }, { bias }, (v, c) => Math.tanh(v + bias.data[c])],
  [
    "relu6",
    { fused_ops: texts(["BiasAdd", "Relu6"]) },
    { bias: { ...bias, data: bias.data.map((v) => 9 * v) } },
    (v, c) => Math.min(6, Math.max(0, v + 9 * bias.data[c])),
  ],
  [
    "leaky relu by its default",
    { fused_ops: texts(["BiasAdd", "LeakyRelu"]) },
    { bias },
    (v, c) => ((u) => (u > 0 ? u : 0.2 * u))(v + bias.data[c]),
  ],
  [
    "leaky relu of a slope",
    { fused_ops: texts(["BiasAdd", "LeakyRelu"]), leakyrelu_alpha: { f: 0.35 } },
    { bias },
    (v, c) => ((u) => (u > 0 ? u : 0.35 * u))(v + bias.data[c]),
  ],
  [
    "prelu, a slope per channel",
    { fused_ops: texts(["BiasAdd", "Prelu"]) },
    { bias, slope },
    (v, c) => ((u) => (u > 0 ? u : slope.data[c] * u))(v + bias.data[c]),
  ],
])("a convolution with %s", async (_, attr, constants, f) => {
  const got = await computed(x, "_FusedConv2D", { ...sliding, ...attr }, { kernel, ...constants });
  expectClose(got, channelsFirst(each(convolved(x, kernel, 2), f)));
});

test("a depthwise convolution gives each channel its multiples side by side", async () => {
  const many = wave([3, 2, 3, 2], 0.53);
  const got = await computed(x, "DepthwiseConv2dNative", sliding, { many });
  expectClose(got, channelsFirst(convolved(x, many, 2, true)));
});

test.each([
  ["smaller than its stride", 2, 3],
  ["as large as its stride", 2, 2],
  ["larger than its stride", 3, 2],
])("a transposed convolution of an open size with a kernel %s", async (_, taps, stride) => {
  const wide = wave([taps, taps, 2, 3], 0.47);
  const attr = { ...sliding, strides: ints([1, stride, stride, 1]) };
  const small = wave([1, 3, 4, 3], 0.29);
  // Its first input is a size that the graph does not know.
  const got = await computed(small, "Conv2DBackpropInput", attr, { wide }, ["x", "wide", "x"]);
  // Every value adds its kernel; what lies between them stays 0. Keras: n·stride, or what the kernel reaches beyond.
  const [h, w] = [3, 4].map((n) => n * stride + Math.max(0, taps - stride));
  const data = new Float64Array(h * w * 2);
  for (let p = 0; p < 3; p++)
    for (let q = 0; q < 4; q++)
      for (let i = 0; i < taps; i++)
        for (let j = 0; j < taps; j++)
          for (let o = 0; o < 2; o++)
            for (let c = 0; c < 3; c++)
              data[((p * stride + i) * w + q * stride + j) * 2 + o] +=
                small.data[(p * 4 + q) * 3 + c] * wide.data[((i * taps + j) * 2 + o) * 3 + c];
  expectClose(got, channelsFirst({ data, shape: [1, h, w, 2] }));
});

/** `[…, n, m]` with the last two axes exchanged. */
function turned({ data, shape }: HostArray): WeightTensor {
  const [n, m] = shape.slice(-2);
  const out = Float32Array.from(data, (_, i) => {
    const [block, rest] = [Math.floor(i / (n * m)), i % (n * m)];
    return data[block * n * m + (rest % n) * m + Math.floor(rest / n)];
  });
  return { data: out, shape: [...shape.slice(0, -2), m, n], dtype: "F32" };
}

function multiplied(a: HostArray, b: HostArray): HostArray {
  const [n, k] = a.shape.slice(-2);
  const m = b.shape.at(-1)!;
  const shape = [...a.shape.slice(0, -1), m];
  const data = Float64Array.from({ length: sizeOf(shape) }, (_, i) => {
    const [block, row, column] = [Math.floor(i / (n * m)), Math.floor(i / m) % n, i % m];
    let sum = 0;
    for (let t = 0; t < k; t++) sum += a.data[(block * n + row) * k + t] * b.data[(block * k + t) * m + column];
    return sum;
  });
  return { data, shape };
}

const [a, b] = [wave([3, 5], 0.31), wave([5, 4], 0.63)];

test.each([
  [false, false],
  [true, false],
  [false, true],
  [true, true],
])("matrix products, turned %s and %s, with bias and activation and in batches", async (first, second) => {
  const attr = { transpose_a: { b: first }, transpose_b: { b: second } };
  const [left, right] = [first ? turned(a) : a, second ? turned(b) : b];
  expectClose(await computed(left, "MatMul", attr, { right }), multiplied(a, b));
  const fused = await computed(left, "_FusedMatMul", { ...attr, fused_ops: texts(["BiasAdd", "Prelu"]) }, { right, bias, slope });
  expectClose(
    fused,
    each(multiplied(a, b), (v, c) => ((u) => (u > 0 ? u : slope.data[c] * u))(v + bias.data[c])),
  );
  const [many, others] = [wave([2, 3, 5], 0.31), wave([2, 5, 4], 0.63)];
  const adj = { adj_x: { b: first }, adj_y: { b: second } };
  const batches = await computed(first ? turned(many) : many, "BatchMatMulV2", adj, { right: second ? turned(others) : others });
  expectClose(batches, multiplied(many, others));
});
