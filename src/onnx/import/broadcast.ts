/** @file Arrays on the host under other shapes: broadcasting and strided reading. */

import { sizeOf } from "../../host/array.ts";
import { broadcastShapes, stridesOf } from "../../host/shape.ts";
import { copyView } from "../../host/strided.ts";
import type { Call } from "./call.ts";
import { hostLimit, hostOf, type HostValue, type Kind } from "../values.ts";

type Shape = readonly number[];

/** Throws where a graph would make the host compute with more than shapes. */
export function expectSmall(c: Call, shape: Shape): void {
  const size = sizeOf(shape);
  if (!shape.every((d) => Number.isSafeInteger(d) && d >= 0))
    throw c.wrong(`the result would have the shape [${shape.join(", ")}]`);
  if (!(size <= hostLimit)) throw c.unsupported(`a constant of ${size} elements (shape [${shape.join(", ")}]) on the host`);
}

/** Elements `start + Σ index·stride` of `x`. */
export function strided(c: Call, x: HostValue, shape: Shape, strides: Shape, start = 0): HostValue {
  expectSmall(c, shape);
  const { data } = copyView(x.data, shape, strides, start);
  return hostOf(x.kind, shape, (i) => data[i], x.type);
}

/** `x` repeated along axes of size 1 and new axes on the left. */
export function expanded(c: Call, x: HostValue, shape: Shape): HostValue {
  const own = stridesOf(x.shape);
  const lead = shape.length - x.shape.length;
  const strides = shape.map((_, i) => (i < lead || x.shape[i - lead] === 1 ? 0 : own[i - lead]));
  return strided(c, x, shape, strides);
}

/** f over arrays under NumPy's broadcasting. */
export function zip(c: Call, kind: Kind, inputs: readonly HostValue[], f: (...v: number[]) => number): HostValue {
  const shape = inputs.reduce<Shape>((s, v) => broadcastShapes(c.node.op, s, v.shape), []);
  expectSmall(c, shape);
  const all = inputs.map((v) => expanded(c, v, shape).data);
  return hostOf(kind, shape, (i) => f(...all.map((d) => d[i])));
}
