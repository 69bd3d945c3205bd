/** @file What conv/point.wgsl takes, and how it is cut; and the weight gradient of one tap, which is a product of matrices. */

import { sizeOf } from "../../host/array.ts";
import type { Shape } from "../../host/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { matmul } from "../matmul.ts";
import { matmulShape } from "../matmul_shape.ts";
import { reduceSum } from "../reduce.ts";
import { BLOCK } from "../shaders/lib/conv.gen.ts";
import { THREADS } from "../shaders/conv/point.gen.ts";
import type { ConvGeometry } from "./shape.ts";

/** See conv/point.wgsl: a thread owns TP positions by PARTS · PC channels. */
export interface Point {
  readonly TP: number;
  readonly PC: number;
  readonly PARTS: number;
}

// Sums have two levels.
const mostTerms = BLOCK * BLOCK;

/** Whether there is one tap, which reads the place that it writes. */
export const hasPoint = (g: ConvGeometry): boolean =>
  [...g.taps, ...g.stride].every((n) => n === 1) &&
  g.padding.every((n) => n === 0) &&
  g.large.every((n, i) => n === g.small[i]) &&
  Math.max(g.smallChannels, g.largeChannels) / g.groups <= mostTerms;

const outputsOf = (g: ConvGeometry, transposed: boolean): number => (transposed ? g.largeChannels : g.smallChannels) / g.groups;

export function pointTile(g: ConvGeometry, transposed: boolean): Point {
  return { TP: 8, PC: 8, PARTS: Math.min(4, Math.ceil(outputsOf(g, transposed) / 8)) };
}

/** Workgroups along the positions of all samples, and tiles of channels. */
export function pointGrid(g: ConvGeometry, transposed: boolean, { TP, PC, PARTS }: Point) {
  const across = Math.ceil((g.samples * sizeOf(g.small)) / (THREADS * TP));
  return { across, tiles: g.groups * Math.ceil(outputsOf(g, transposed) / (PC * PARTS)), phases: 1 };
}

/** Whether `pointWeightGradient` takes it. */
export const hasPointWeight = (g: ConvGeometry): boolean => hasPoint(g) && g.groups === 1;

/** Output gradients by inputs, summed over positions, then over samples. */
export function pointWeightGradient(small: Tensor, large: Tensor, g: ConvGeometry, weightShape: Shape): Tensor {
  const [a, b] = [small, large].map((t) => t.view([g.samples, t.shape[1], sizeOf(g.small)]));
  const products = matmul("conv", a, b, undefined, matmulShape("conv", a.shape, b.shape, { transposeB: true }));
  const sum = g.samples === 1 ? products.view(products.shape.slice(1)) : reduceSum(products, [0], false);
  const weight = sum.view(weightShape);
  for (const t of [a, b, products, sum]) t.dispose();
  return weight;
}
