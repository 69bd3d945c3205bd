/** @file What several emitters make of options: attributes of windows, and scale and shift of norms. */

import { type Spatial, spatial } from "../../../host/shape.ts";
import type { MaxPoolOptions } from "../../../kernels/pool.ts";
import type { AttributeValue } from "../../native.ts";
import type { Emission } from "../emission.ts";

export type Attributes = Record<string, AttributeValue>;

/** Number of spatial axes of the result. */
export const axesOf = (e: Emission): number => e.result.rank - 2;

/** An option per spatial axis. */
export const perAxis = (e: Emission, value: Spatial | undefined, fallback: number): number[] =>
  spatial(e.op, "option", value ?? fallback, axesOf(e), 0);

/** Pads as ONNX has them: what is before all axes, then what is after. */
export const ends = (pairs: readonly (readonly [number, number])[]): number[] =>
  [0, 1].flatMap((end) => pairs.map((p) => p[end]));

/** Window, stride and padding of a pool. */
export function windowAttributes(e: Emission, options: MaxPoolOptions): Attributes {
  const kernel = perAxis(e, options.kernelSize, 1);
  const padding = perAxis(e, options.padding, 0);
  return {
    kernel_shape: kernel,
    strides: spatial(e.op, "stride", options.stride ?? kernel, axesOf(e), 1),
    pads: [...padding, ...padding],
  };
}

/** Windows of one size side by side, where the sizes come out even. */
export function evenWindows(e: Emission): Attributes | undefined {
  const [from, to] = [e.tensors[0]!.shape.slice(2), e.result.shape.slice(2)];
  if (!from.every((n, i) => n % to[i] === 0)) return undefined;
  const kernel = from.map((n, i) => n / to[i]);
  return { kernel_shape: kernel, strides: kernel };
}
