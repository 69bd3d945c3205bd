/** @file What the benches time: rows of the op test table at sizes that matter. Flops and bytes are the rows' own. */

import { smallCases } from "../src/bench/cases.ts";
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

/** Those of `voxgrad bench`. */
export const cases: readonly BenchCase[] = smallCases.map(([op, label, shapes, args]) =>
  bench(op, label, shapes, op === "relu" ? { parameters: [] } : args),
);

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
