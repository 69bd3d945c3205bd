/** @file The kernels that are compiled: every variant of those that do most of the work, as the wrappers in src/kernels dispatch them. */

import { cast, type Device, float32, grad, sum, type Tensor } from "../../src/index.ts";
import { gatherNames, weightNames } from "../../src/kernels/conv/variants.ts";
import { normVariants } from "../../src/kernels/norm/variants.ts";
import type { KernelCall } from "../../src/tensor/kernel.ts";
import type { Shapes } from "../../test/lib/row.ts";
import { allRows } from "../../test/lib/table.ts";

interface Layer {
  readonly op: string;
  readonly shapes: Shapes;
  readonly args?: unknown;
  /** Key in `device.choices`, and the variants that it may name: all of them by default. */
  readonly family?: string;
  readonly variants?: readonly string[];
}

const conv = (inputs: number, outputs: number, taps: readonly number[], size: number): Layer => ({
  op: "conv",
  shapes: { x: [1, inputs, ...taps.map(() => size)], weight: [outputs, inputs, ...taps] },
  args: { padding: (taps[0] - 1) / 2 },
  family: "conv",
});

const deep = [1, 32, 64, 64, 64];

/** Few, many and very many products of an output: sums in one go, in blocks, and in blocks of blocks. Input gradients are the same kernels. */
const layers: readonly Layer[] = [
  conv(64, 64, [3, 3], 32),
  conv(128, 128, [3, 3], 32),
  // Channels and positions that make no whole steps and runs.
  conv(60, 60, [3, 3], 33),
  { ...conv(64, 64, [3, 3], 33), args: { padding: 1, stride: 2 } },
  conv(256, 256, [3, 3, 3], 8),
  conv(1024, 1024, [3, 3, 3], 4),
  // The rule's choices for few channels.
  ...[
    [1, 16],
    [16, 2],
    [4, 4],
    [16, 16],
    [16, 8],
    [20, 12],
  ].map(([inputs, outputs]) => ({ ...conv(inputs, outputs, [3, 3], 512), variants: ["rule"] })),
  { ...conv(16, 16, [1, 1], 512), variants: ["rule"] },
  { ...conv(16, 16, [3, 3], 513), variants: ["rule"] },
  { ...conv(16, 16, [3, 3], 256), args: { padding: 1, stride: 2 }, variants: ["rule"] },
  ...[152, 608].map((inputs) => ({ ...conv(inputs, 16, [3, 3, 3], 32), variants: ["rule"] })),
  // Depthwise.
  { op: "conv", shapes: { x: [1, 32, 256, 256], weight: [32, 1, 3, 3] }, args: { padding: 1, groups: 32 }, variants: ["rule"] },
  {
    op: "convTranspose",
    shapes: { x: [1, 64, 16, 16, 16], weight: [64, 64, 2, 2, 2] },
    args: { stride: 2 },
    family: "conv",
    variants: ["rule"],
  },
  ...[64, 512].map((inner) => ({
    op: "matmul",
    shapes: { a: [512, inner], b: [inner, 512] },
    family: "matmul",
    variants: ["registers", "tile 128x128", "tile 64x64"],
  })),
  // Rows of an odd length, and products of f16 with a tile of the smaller kind.
  { op: "matmul", shapes: { a: [257, 65], b: [65, 255] }, variants: ["rule"] },
  { op: "matmul", shapes: { a: [2048, 2048], b: [2048, 2048] }, variants: ["rule"] },
  ...["instanceNorm", "batchNorm"].map((op) => ({
    op,
    shapes: { x: deep },
    family: "norm",
    variants: Object.keys(normVariants),
  })),
  { op: "instanceNorm", shapes: { x: [1, 32, 7, 9, 5] } },
  { op: "layerNorm", shapes: { x: [64, 768], weight: [768], bias: [768] }, args: { shape: [768] } },
  { op: "sum", shapes: { x: deep }, args: { axes: [0, 2, 3, 4] } },
  { op: "sum", shapes: { x: deep }, args: { axes: [0, 1] } },
  { op: "mean", shapes: { x: deep } },
  { op: "regionSums", shapes: { x: [2, 4, 32, 32, 32], target: [2, 4, 32, 32, 32] }, args: { activation: "softmax" } },
  { op: "crossEntropyLoss", shapes: { input: [2, 4, 32, 32, 32], target: [2, 32, 32, 32] } },
  { op: "focalLoss", shapes: { input: [2, 4, 32, 32, 32], target: [2, 4, 32, 32, 32] } },
  { op: "prelu", shapes: { x: deep, weight: [32] } },
  { op: "amax", shapes: { x: deep }, args: { axes: [2, 3, 4] } },
  { op: "interpolate", shapes: { x: deep }, args: { scaleFactor: 2, mode: "trilinear" } },
  { op: "avgPool", shapes: { x: deep }, args: { kernelSize: 2 } },
];

const wanted = /^(conv|cross_entropy|focal|matmul|norm|prelu|reduce|region|resample)\./;

/** The programs of all layers with their calls, f32 and, where a layer takes it, f16. */
export function kernelCalls(device: Device): KernelCall[] {
  const found = new Map<string, KernelCall>();
  device.run = (call: KernelCall) => {
    const { key } = call.program;
    if (wanted.test(key) && !found.has(key)) found.set(key, call);
  };
  for (const layer of layers) {
    for (const half of [false, true]) {
      const all = layer.family === "conv" ? [...gatherNames(device, half), ...weightNames(device, half)] : ["rule"];
      for (const variant of new Set(layer.variants ?? all)) {
        device.choices.clear();
        if (layer.family) device.choices.set(layer.family, variant);
        steps(device, layer, half);
      }
    }
  }
  device.choices.clear();
  return [...found.values()];
}

// Forward and all gradients. Nothing is uploaded or run, so the tensors hold anything.
function steps(device: Device, { op, shapes, args = {} }: Layer, half: boolean): void {
  const row = allRows.find(({ name }) => name === op);
  if (!row) throw new Error(`no row of the op table is called ${op}`);
  const leaves: Tensor[] = [];
  const tensors = Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => {
      const leaf = device.empty(shape);
      leaf.requiresGrad = row.differentiable.includes(name);
      if (leaf.requiresGrad) leaves.push(leaf);
      return [name, half && (Array.isArray(row.half) ? row.half.includes(name) : name === "x") ? cast(leaf, "f16") : leaf];
    }),
  );
  grad(sum(float32(row.run(tensors, args, device))), leaves);
}
