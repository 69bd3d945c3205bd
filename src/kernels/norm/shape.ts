/** @file Shape rules of normalization: how a tensor splits into groups. */

import { ShapeError } from "../../host/errors.ts";
import { sizeOf } from "../../host/array.ts";
import { sameShape, type Shape, showShape } from "../../host/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";

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

/** What follows the normalization: z = weight · h + bias per channel, then z where z > 0, else slope · z. */
export interface NormAffine {
  readonly weight?: Tensor;
  readonly bias?: Tensor;
  /** A number, or `[1]` or `[C]`; default 1: no activation. */
  readonly slope?: number | Tensor;
}

/** What is added to the result of a norm, of its shape and type: behind the activation, or before it. */
export interface Residual {
  readonly tensor: Tensor;
  readonly before: boolean;
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
