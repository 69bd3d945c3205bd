/** @file Normalisation over groups of elements: instance, group and batch norm are one kernel. */

import { ShapeError } from "../tensor/errors.ts";
import { sizeOf } from "../tensor/host.ts";
import { read, update, write } from "../tensor/kernel.ts";
import { sameShape, type Shape, showShape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { expectFloats, expectTensors, half } from "./args.ts";
import { normParts, normPartsAffineGradient, normPartsInputGradient } from "./norm_parts.ts";
import { fits } from "./pieces.ts";
import { fold, grid, lanes, program } from "./program.ts";
import { reduceSum } from "./reduce.ts";

/** How a tensor splits into groups, and groups into channels that share a scale and shift. */
export interface NormGeometry {
  /** Elements per group. */
  readonly count: number;
  readonly groups: number;
  readonly groupStep: number;
  /** Adjacent elements of a group, and the distance from one run to the next. */
  readonly run: number;
  readonly runStep: number;
  readonly groupsPerSample: number;
  readonly channelsPerGroup: number;
  /** Elements per channel. */
  readonly inner: number;
  readonly eps: number;
}

/** Group norm of `[N, C, spatial…]` with `groups` groups per sample; instance norm has one per channel. Throws `ShapeError`. */
export function groupNormShape(
  op: string,
  shape: Shape,
  groups: number,
  eps: number,
  weight?: Shape,
  bias?: Shape,
): NormGeometry {
  if (shape.length < 2) throw new ShapeError(`${op}: input must be [N, C, spatial…], got ${showShape(shape)}`);
  const [n, channels] = shape;
  if (!Number.isInteger(groups) || groups < 1 || channels % groups !== 0) {
    throw new ShapeError(`${op}: ${channels} channels do not split into ${groups} groups`);
  }
  for (const [name, s] of [["weight", weight] as const, ["bias", bias] as const]) {
    if (s && (s.length !== 1 || s[0] !== channels)) throw new ShapeError(`${op}: ${name} ${showShape(s)} must be [${channels}]`);
  }
  if ((weight === undefined) !== (bias === undefined)) throw new ShapeError(`${op}: give weight and bias together or neither`);
  const inner = sizeOf(shape.slice(2));
  const channelsPerGroup = channels / groups;
  const count = inner * channelsPerGroup;
  return {
    count,
    groups: n * groups,
    groupStep: count,
    run: count,
    runStep: 0,
    groupsPerSample: groups,
    channelsPerGroup,
    inner,
    eps,
  };
}

/** Batch norm of `[N, C, spatial…]` in training: a group is one channel of all samples. Throws `ShapeError`. */
export function batchNormShape(shape: Shape, eps: number, weight?: Shape, bias?: Shape): NormGeometry {
  const g = groupNormShape("batchNorm", shape, shape[1], eps, weight, bias);
  const count = shape[0] * g.inner;
  return { ...g, count, groups: shape[1], groupStep: g.inner, run: g.inner, runStep: shape[1] * g.inner, inner: count };
}

/** Layer norm of `[…, normalizedShape…]`: a group is what follows the leading axes, each element its own channel. Throws `ShapeError`. */
export function layerNormShape(shape: Shape, normalizedShape: Shape, eps: number, weight?: Shape, bias?: Shape): NormGeometry {
  const tail = shape.slice(shape.length - normalizedShape.length);
  if (normalizedShape.length === 0 || normalizedShape.length > shape.length || !sameShape(tail, normalizedShape)) {
    throw new ShapeError(`layerNorm: input ${showShape(shape)} must end in ${showShape(normalizedShape)}`);
  }
  for (const [name, s] of [["weight", weight] as const, ["bias", bias] as const]) {
    if (s && !sameShape(s, normalizedShape))
      throw new ShapeError(`layerNorm: ${name} ${showShape(s)} must be ${showShape(normalizedShape)}`);
  }
  if ((weight === undefined) !== (bias === undefined))
    throw new ShapeError("layerNorm: give weight and bias together or neither");
  const count = sizeOf(normalizedShape);
  const groups = sizeOf(shape.slice(0, shape.length - normalizedShape.length));
  return { count, groups, groupStep: count, run: count, runStep: 0, groupsPerSample: 1, channelsPerGroup: count, inner: 1, eps };
}

const layout = (g: NormGeometry) => [
  g.count,
  g.groups,
  g.groupStep,
  g.run,
  g.runStep,
  g.groupsPerSample,
  g.channelsPerGroup,
  g.inner,
];
const params = (g: NormGeometry, affine: boolean) => [...layout(g), affine ? 1 : 0, { f32: g.eps }];

const libs = ["lib/grid", "lib/tree", "lib/norm"] as const;

/** The result and, per group, mean and 1 / standard deviation for the gradients. */
export function norm(
  x: Tensor,
  weight: Tensor | undefined,
  bias: Tensor | undefined,
  g: NormGeometry,
): { y: Tensor; stats: Tensor } {
  expectFloats("norm", { input: x });
  if (weight && bias) expectTensors("norm", { weight, bias });
  if (!fits(x)) return normParts(x, weight, bias, g);
  const y = x.device.empty(x.shape, x.dtype);
  const stats = x.device.empty([Math.max(1, g.groups), 2]); // of an empty batch too, for the bindings
  if (x.size > 0) {
    x.device.run({
      program: program("norm/forward", { libs, consts: { LANES: lanes(x.device) }, half: half(x) }),
      bindings: [read(x), read(weight ?? x), read(bias ?? x), write(y), write(stats)],
      params: params(g, weight !== undefined),
      workgroups: fold(x.device, "norm", g.groups),
    });
  }
  return { y, stats };
}

export function normInputGradient(x: Tensor, weight: Tensor | undefined, stats: Tensor, dy: Tensor, g: NormGeometry): Tensor {
  if (!fits(x)) return normPartsInputGradient(x, weight, stats, dy, g);
  const dx = x.device.empty(x.shape, x.dtype);
  if (x.size > 0) {
    x.device.run({
      program: program("norm/input_gradient", { libs, consts: { LANES: lanes(x.device) }, half: half(x) }),
      bindings: [read(x), read(weight ?? x), read(stats), read(dy), write(dx)],
      params: params(g, weight !== undefined),
      workgroups: fold(x.device, "norm", g.groups),
    });
  }
  return dx;
}

export function normAffineGradient(x: Tensor, stats: Tensor, dy: Tensor, g: NormGeometry): { dWeight: Tensor; dBias: Tensor } {
  if (!fits(x)) return normPartsAffineGradient(x, stats, dy, g);
  const channels = g.groupsPerSample * g.channelsPerGroup;
  const dWeight = x.device.empty([channels]);
  const dBias = x.device.empty([channels]);
  x.device.run({
    program: program("norm/affine_gradient", { libs, consts: { LANES: lanes(x.device) }, half: half(x) }),
    bindings: [read(x), read(stats), read(dy), write(dWeight), write(dBias)],
    params: params(g, true),
    workgroups: fold(x.device, "norm", channels),
  });
  return { dWeight, dBias };
}

// At most this many groups are added in sequence; more slabs of them give a device with many cores work.
const slabGroups = 256;

/** The same for layer norm, where neighbouring elements are different channels: a thread per element and slab of groups. */
export function layerNormAffineGradient(
  x: Tensor,
  stats: Tensor,
  dy: Tensor,
  g: NormGeometry,
): { dWeight: Tensor; dBias: Tensor } {
  if (!fits(x)) return normPartsAffineGradient(x, stats, dy, g);
  const { device } = x;
  const slab = Math.max(1, Math.min(slabGroups, Math.ceil(g.groups / (device.software ? 4 : 64))));
  const slabs = Math.max(1, Math.ceil(g.groups / slab));
  const parts = [0, 1].map(() => device.empty([slabs, g.count]));
  device.run({
    program: program("norm/layer_affine_gradient", { libs: ["lib/grid", "lib/norm"], consts: { LANES: 64 }, half: half(x) }),
    bindings: [read(x), read(stats), read(dy), ...parts.map((t) => write(t))],
    params: [...params(g, true), slab, slabs],
    workgroups: grid(device, "layerNorm", slabs * Math.ceil(g.count / 64) * 64, 64),
  });
  const [dWeight, dBias] = parts.map((part) => {
    const total = slabs === 1 ? part.view([g.count]) : reduceSum(part, [0], false);
    part.dispose();
    return total;
  });
  return { dWeight, dBias };
}

/** Moves running statistics towards those of a batch: mean and unbiased variance, as PyTorch. */
export function normRunning(stats: Tensor, runningMean: Tensor, runningVar: Tensor, g: NormGeometry, momentum: number): void {
  expectTensors("batchNorm", { stats, "running mean": runningMean, "running variance": runningVar });
  for (const { shape } of [runningMean, runningVar]) {
    if (!sameShape(shape, [g.groups]))
      throw new ShapeError(`batchNorm: running statistics ${showShape(shape)} must be [${g.groups}]`);
  }
  stats.device.run({
    program: program("norm/running", { libs: ["lib/grid"] }),
    bindings: [read(stats), update(runningMean), update(runningVar)],
    params: [g.groups, { f32: g.eps }, { f32: momentum }, { f32: g.count / Math.max(1, g.count - 1) }],
    workgroups: grid(stats.device, "batchNorm", g.groups, 64),
  });
}
