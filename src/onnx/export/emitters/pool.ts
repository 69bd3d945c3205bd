/** @file Nodes of pools. */

import { sizeOf } from "../../../host/array.ts";
import type { Spatial } from "../../../host/shape.ts";
import { adaptiveAvgPoolShape, type AvgPoolOptions, type MaxPoolOptions } from "../../../kernels/pool.ts";
import type { MaxUnpoolOptions } from "../../../kernels/pool_unpool.ts";
import type { Emission, Emitter, Emitters } from "../emission.ts";
import { type Attributes, evenWindows, perAxis, windowAttributes } from "./attributes.ts";
import { products } from "./products.ts";

function maxima(e: Emission, attributes: Attributes): string {
  const [y, indices] = e.builder.several("MaxPool", e.inputs, attributes, 2);
  e.names.setIndices(e.args.indices, indices);
  return y;
}

const maxPool: Emitter = (e) => {
  const options = e.args.options as MaxPoolOptions;
  const dilations = perAxis(e, options.dilation, 1);
  return maxima(e, { ...windowAttributes(e, options), dilations, ceil_mode: options.ceilMode ? 1 : 0 });
};

const adaptiveMaxPool: Emitter = (e) => {
  const attributes = evenWindows(e);
  return attributes && maxima(e, attributes);
};

const maxUnpool: Emitter = (e) => {
  const options = e.args.options as MaxUnpoolOptions;
  const attributes = windowAttributes(e, options);
  const [kernel, strides, pads] = [attributes.kernel_shape, attributes.strides, attributes.pads] as number[][];
  const usual = e.tensors[0]!.shape.slice(2).map((n, i) => (n - 1) * strides[i] - 2 * pads[i] + kernel[i]);
  const shape = usual.every((n, i) => n === e.result.shape[i + 2]) ? undefined : e.builder.ints(e.result.shape);
  return e.builder.node("MaxUnpool", [e.inputs[0], e.names.indicesOf(e.args.indices), shape], attributes);
};

const avgPool: Emitter = (e) => {
  const options = e.args.options as AvgPoolOptions;
  const { divisorOverride: divisor, ceilMode = false, countIncludePad = true } = options;
  const attributes = windowAttributes(e, options);
  const count = divisor !== undefined || countIncludePad ? 1 : 0;
  const y = e.builder.node("AveragePool", e.inputs, { ...attributes, ceil_mode: ceilMode ? 1 : 0, count_include_pad: count });
  if (divisor === undefined) return y;
  // Windows that reach beyond the end are divided by less.
  if (ceilMode) return undefined;
  return e.builder.node("Mul", [y, e.builder.float(sizeOf(attributes.kernel_shape as number[]) / divisor)]);
};

const adaptiveAvgPool: Emitter = (e) => {
  if (e.result.shape.slice(2).every((n) => n === 1)) return e.builder.node("GlobalAveragePool", e.inputs);
  const attributes = evenWindows(e);
  if (attributes) return e.builder.node("AveragePool", e.inputs, attributes);
  return products(e, adaptiveAvgPoolShape(e.tensors[0]!.shape, e.args.outputSize as Spatial).maps);
};

export const emitters: Emitters = { maxPool, adaptiveMaxPool, maxUnpool, avgPool, adaptiveAvgPool };
