/** @file What the benches time: rows of the op test table at sizes that matter. Flops and bytes are the rows' own. */

import type { Row, Shapes } from "../test/lib/row.ts";
import { allRows } from "../test/lib/table.ts";

export interface BenchCase {
  readonly name: string;
  readonly row: Row<unknown>;
  readonly shapes: Shapes;
  readonly args: unknown;
}

function bench(op: string, label: string, shapes: Shapes, args: unknown = {}): BenchCase {
  const row: Row<unknown> | undefined = allRows.find((r) => r.name === op);
  if (!row) throw new Error(`no row of the op table is called ${op}`);
  return { name: `${op} ${label}`, row, shapes, args };
}

const image = [4, 16, 128, 128];
const volume = [1, 16, 48, 48, 48];

/** What a software adapter can do in minutes. */
export const cases: readonly BenchCase[] = [
  bench("conv", "2-D 4x32->64x128² k3", { x: [4, 32, 128, 128], weight: [64, 32, 3, 3] }, { padding: 1 }),
  bench("conv", "2-D 4x16->16x128² k3", { x: image, weight: [16, 16, 3, 3] }, { padding: 1 }),
  bench("conv", "2-D 4x1->16x128² k3 s2", { x: [4, 1, 128, 128], weight: [16, 1, 3, 3] }, { padding: 1, stride: 2 }),
  bench("conv", "2-D 16x128->128x6² k3", { x: [16, 128, 6, 6], weight: [128, 128, 3, 3] }, { padding: 1 }),
  bench("conv", "3-D 1x16->32x48³ k3", { x: volume, weight: [32, 16, 3, 3, 3] }, { padding: 1 }),
  bench(
    "convTranspose",
    "2-D 4x32->16x64² k3 s2",
    { x: [4, 32, 64, 64], weight: [32, 16, 3, 3] },
    { stride: 2, padding: 1, outputPadding: 1 },
  ),
  bench("convTranspose", "3-D 1x32->16x24³ k2 s2", { x: [1, 32, 24, 24, 24], weight: [32, 16, 2, 2, 2] }, { stride: 2 }),
  bench("instanceNorm", "4x16x128²", { x: image }),
  bench("instanceNorm", "1x16x48³", { x: volume }),
  bench("prelu", "4x16x128²", { x: image, weight: [1] }),
  bench("relu", "4x16x128²", { x: image }, { parameters: [] }),
  bench("add", "4x16x128²", { a: image, b: image }),
  bench("softmax", "4x3x128²", { x: [4, 3, 128, 128] }, { axis: 1 }),
];

/** Operations of large networks, so large that a GPU is full and its cache is not the memory measured. Axes are divided by `shrink`, for rehearsals. */
export function gpuCases(shrink = 1): readonly BenchCase[] {
  const plane = (size: number) => [size / shrink, size / shrink];
  const cube = (size: number) => [size / shrink, size / shrink, size / shrink];
  const wide = [8, 64, ...plane(256)];
  const deep = [2, 32, ...cube(96)];
  return [
    bench("conv", "2-D 8x64->64x256² k3", { x: wide, weight: [64, 64, 3, 3] }, { padding: 1 }),
    bench("conv", "2-D 8x64->64x256² k1", { x: wide, weight: [64, 64, 1, 1] }),
    bench("conv", "2-D 8x64->128x256² k3 s2", { x: wide, weight: [128, 64, 3, 3] }, { padding: 1, stride: 2 }),
    bench("conv", "2-D 8x64->64x128² k5", { x: [8, 64, ...plane(128)], weight: [64, 64, 5, 5] }, { padding: 2 }),
    bench("conv", "2-D 16x256->256x16² k3", { x: [16, 256, ...plane(16)], weight: [256, 256, 3, 3] }, { padding: 1 }),
    bench("conv", "3-D 2x32->32x96³ k3", { x: deep, weight: [32, 32, 3, 3, 3] }, { padding: 1 }),
    bench("conv", "3-D 2x32->64x96³ k3 s2", { x: deep, weight: [64, 32, 3, 3, 3] }, { padding: 1, stride: 2 }),
    bench("conv", "3-D 1x32->32x64³ k5", { x: [1, 32, ...cube(64)], weight: [32, 32, 5, 5, 5] }, { padding: 2 }),
    bench("conv", "3-D 2x256->256x8³ k3", { x: [2, 256, ...cube(8)], weight: [256, 256, 3, 3, 3] }, { padding: 1 }),
    bench("convTranspose", "3-D 2x64->32x48³ k2 s2", { x: [2, 64, ...cube(48)], weight: [64, 32, 2, 2, 2] }, { stride: 2 }),
    bench("matmul", "4096³", { a: plane(4096), b: plane(4096) }),
    bench("instanceNorm", "2x32x96³", { x: deep }),
    bench("batchNorm", "2x32x96³", { x: deep }),
    bench("prelu", "2x32x96³", { x: deep, weight: [1] }),
    bench("relu", "2x32x96³", { x: deep }, { parameters: [] }),
    bench("add", "2x32x96³", { a: deep, b: deep }),
    bench("sum", "2x32x96³ but channels", { x: deep }, { axes: [0, 2, 3, 4] }),
    bench("concat", "2x(32+32)x96³", { a: deep, b: deep }),
    bench("maxPool", "8x64x256² k2", { x: wide }, { kernelSize: 2 }),
    bench("interpolate", "2x32x48³ x2 trilinear", { x: [2, 32, ...cube(48)] }, { scaleFactor: 2, mode: "trilinear" }),
    bench("softmax", "8x4x96³", { x: [8, 4, ...cube(96)] }, { axis: 1 }),
    bench("regionSums", "8x4x96³ softmax", { x: [8, 4, ...cube(96)], target: [8, 4, ...cube(96)] }, { activation: "softmax" }),
  ];
}
