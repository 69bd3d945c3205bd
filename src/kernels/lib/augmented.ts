/** @file What the augmentation kernels share: shapes, threads with several elements each, and what was changed beside an image. */

import { sizeOf } from "../../host/array.ts";
import { ShapeError } from "../../host/errors.ts";
import { sameShape, type Shape, showShape } from "../../host/shape.ts";
import { update } from "../../tensor/kernel.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { settleShader } from "../shaders/augment/settle.gen.ts";
import { perThread } from "./occupancy.ts";
import { lines } from "./workgroups.ts";

export function spatialOf(op: string, x: Shape): Shape {
  const spatial = x.slice(2);
  if (spatial.length >= 1 && spatial.length <= 3 && spatial.every((n) => n > 0)) return spatial;
  throw new ShapeError(`${op}: input must be [N, C, spatial…] with one to three spatial axes, got ${showShape(x)}`);
}

export function expectPerChannel(op: string, name: string, t: Tensor, shape: Shape): void {
  if (!sameShape(t.shape, shape)) throw new ShapeError(`${op}: ${name} ${showShape(t.shape)} must be ${showShape(shape)}`);
}

/** Threads along the elements of each channel, which go on with others of theirs. */
export function planesOf(x: Tensor) {
  const plane = sizeOf(x.shape.slice(2));
  const across = Math.ceil(plane / perThread(x.device));
  const { threads, workgroups } = lines(x.device, [across, 1, x.shape[0] * x.shape[1]], 64);
  return { params: { threads, plane }, workgroups };
}

/** Copies the channels of `x` whose factor, the first in a row of `factors`, is not 1 over those of `y`. */
export function settle(y: Tensor, factors: Tensor, x: Tensor): void {
  const { params, workgroups } = planesOf(y);
  const apart = factors.size / (y.shape[0] * y.shape[1]);
  if (y.size > 0) y.device.run(settleShader({ params: { ...params, apart }, bind: { factors, x, y: update(y) }, workgroups }));
}
