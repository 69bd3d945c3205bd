/** @file Nodes of convolutions, norms, pools and interpolation. */

import { type ConvOptions, convPadding, type ConvTransposeOptions, paddings } from "../../kernels/conv/shape.ts";
import { type InterpolateOptions, interpolateShape } from "../../kernels/interpolate.ts";
import { adaptiveAvgPoolShape, type AvgPoolOptions, type MaxPoolOptions, type MaxUnpoolOptions } from "../../kernels/pool.ts";
import type { AxisMap } from "../../kernels/resample.ts";
import { sizeOf } from "../../host/array.ts";
import { spatial, type Spatial } from "../../host/shape.ts";
import type { Emission, Emitter, Emitters } from "./emission.ts";
import type { AttributeValue } from "../native.ts";

type Attributes = Record<string, AttributeValue>;

const axesOf = (e: Emission): number => e.result.rank - 2;
const list = (e: Emission, value: Spatial | undefined, fallback: number): number[] =>
  spatial(e.op, "option", value ?? fallback, axesOf(e), 0);
const ends = (pairs: readonly (readonly [number, number])[]): number[] => [0, 1].flatMap((end) => pairs.map((p) => p[end]));

const conv: Emitter = (e) => {
  const options = e.args.options as ConvOptions;
  const [x, weight] = e.tensors;
  const y = e.builder.node("Conv", e.inputs, {
    kernel_shape: weight!.shape.slice(2),
    strides: list(e, options.stride, 1),
    dilations: list(e, options.dilation, 1),
    pads: ends(convPadding(x!.shape, weight!.shape, options)),
    group: options.groups ?? 1,
  });
  return options.activation === "relu" ? e.builder.node("Relu", [y]) : y;
};

const convTranspose: Emitter = (e) => {
  const options = e.args.options as ConvTransposeOptions;
  return e.builder.node("ConvTranspose", e.inputs, {
    kernel_shape: e.tensors[1]!.shape.slice(2),
    strides: list(e, options.stride, 1),
    dilations: list(e, options.dilation, 1),
    pads: ends(paddings(e.op, options.padding ?? 0, axesOf(e))),
    output_padding: list(e, options.outputPadding, 0),
    group: options.groups ?? 1,
  });
};

/** Scale and shift, of ones and zeros where there are none. */
const affineInputs = ({ builder, inputs: [, weight, bias] }: Emission, shape: readonly number[]): [string, string] => [
  weight ?? builder.filled(shape, 1),
  bias ?? builder.filled(shape, 0),
];

const perChannel = (e: Emission, name: string): string =>
  axesOf(e) > 0 ? e.builder.node("Unsqueeze", [name, e.builder.ints(e.result.shape.slice(2).map((_, i) => i + 1))]) : name;

const groupNorm: Emitter = (e) => {
  const { builder, inputs, result } = e;
  const [groups, eps]: number[] = [e.args.groups, e.args.eps];
  const channels = result.shape[1];
  const epsilon = { float: eps };
  if (groups === channels) return builder.node("InstanceNormalization", [inputs[0], ...affineInputs(e, [channels])], { epsilon });
  // As PyTorch writes it: GroupNormalization has a scale per channel from operator set 21 on only.
  const apart = builder.node("Reshape", [inputs[0], builder.ints([0, groups, -1])]);
  const flat = builder.node("InstanceNormalization", [apart, builder.filled([groups], 1), builder.filled([groups], 0)], {
    epsilon,
  });
  const y = builder.node("Reshape", [flat, builder.node("Shape", [inputs[0]])]);
  if (!inputs[1] || !inputs[2]) return y;
  return builder.node("Add", [builder.node("Mul", [y, perChannel(e, inputs[1])]), perChannel(e, inputs[2])]);
};

const layerNorm: Emitter = (e) => {
  const [axes, eps]: number[] = [e.args.axes, e.args.eps];
  const [scale, shift] = affineInputs(e, e.result.shape.slice(-axes));
  return e.builder.node("LayerNormalization", [e.inputs[0], scale, shift], { axis: -axes, epsilon: { float: eps } });
};

const fixedBatchNorm: Emitter = (e) => {
  const [x, , , mean, variance] = e.inputs;
  const [scale, shift] = affineInputs(e, [e.result.shape[1]]);
  return e.builder.node("BatchNormalization", [x, scale, shift, mean, variance], { epsilon: { float: e.args.eps } });
};

// In evaluation only without running statistics: those of the batch.
const batchNorm: Emitter = (e) => {
  const { builder, inputs, result } = e;
  const axes = builder.ints(result.shape.map((_, i) => i).filter((i) => i !== 1));
  const centered = builder.node("Sub", [inputs[0], builder.node("ReduceMean", [inputs[0], axes])]);
  const variance = builder.node("ReduceMean", [builder.node("Mul", [centered, centered]), axes]);
  const deviation = builder.node("Sqrt", [builder.node("Add", [variance, builder.float(e.args.eps)])]);
  const y = builder.node("Div", [centered, deviation]);
  if (!inputs[1] || !inputs[2]) return y;
  return builder.node("Add", [builder.node("Mul", [y, perChannel(e, inputs[1])]), perChannel(e, inputs[2])]);
};

function windowAttributes(e: Emission, options: MaxPoolOptions): Attributes {
  const kernel = list(e, options.kernelSize, 1);
  const padding = list(e, options.padding, 0);
  return {
    kernel_shape: kernel,
    strides: spatial(e.op, "stride", options.stride ?? kernel, axesOf(e), 1),
    pads: [...padding, ...padding],
  };
}

function maxima(e: Emission, attributes: Attributes): string {
  const [y, indices] = e.builder.several("MaxPool", e.inputs, attributes, 2);
  e.names.setIndices(e.args.indices, indices);
  return y;
}

const maxPool: Emitter = (e) => {
  const options = e.args.options as MaxPoolOptions;
  const dilations = list(e, options.dilation, 1);
  return maxima(e, { ...windowAttributes(e, options), dilations, ceil_mode: options.ceilMode ? 1 : 0 });
};

/** Windows of one size side by side, where the sizes come out even. */
function evenWindows(e: Emission): Attributes | undefined {
  const [from, to] = [e.tensors[0]!.shape.slice(2), e.result.shape.slice(2)];
  if (!from.every((n, i) => n % to[i] === 0)) return undefined;
  const kernel = from.map((n, i) => n / to[i]);
  return { kernel_shape: kernel, strides: kernel };
}

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

/** Any linear maps along the spatial axes, as products with matrices. */
function products(e: Emission, maps: readonly (AxisMap | undefined)[]): string {
  const { builder } = e;
  return maps.reduce((x, map, i) => {
    if (!map) return x;
    const [rows, columns] = [map.rows.length, map.from];
    const data = new Float32Array(columns * rows);
    map.rows.forEach(({ start, weights }, o) => weights.forEach((w, k) => (data[(start + k) * rows + o] = w)));
    const matrix = builder.constant({ kind: "float", data, shape: [columns, rows] });
    const axis = i + 2;
    const swapped = Array.from({ length: e.result.rank }, (_, k) =>
      k === axis ? e.result.rank - 1 : k === e.result.rank - 1 ? axis : k,
    );
    const last = axis === e.result.rank - 1;
    const turned = last ? x : builder.node("Transpose", [x], { perm: swapped });
    const y = builder.node("MatMul", [turned, matrix]);
    return last ? y : builder.node("Transpose", [y], { perm: swapped });
  }, e.inputs[0]!);
}

const adaptiveAvgPool: Emitter = (e) => {
  if (e.result.shape.slice(2).every((n) => n === 1)) return e.builder.node("GlobalAveragePool", e.inputs);
  const attributes = evenWindows(e);
  if (attributes) return e.builder.node("AveragePool", e.inputs, attributes);
  return products(e, adaptiveAvgPoolShape(e.tensors[0]!.shape, e.args.outputSize as Spatial).maps);
};

const interpolate: Emitter = (e) => {
  const { builder, inputs } = e;
  const options = e.args.options as InterpolateOptions;
  const [from, to] = [e.tensors[0]!.shape.slice(2), e.result.shape.slice(2)];
  const { mode = "nearest", alignCorners = false } = options;
  if (mode === "area") return products(e, interpolateShape(e.tensors[0]!.shape, options).maps);
  const exact = mode === "nearest-exact";
  const attributes: Attributes = { axes: from.map((_, i) => i + 2) };
  if (mode === "nearest" || exact) {
    attributes.mode = "nearest";
    attributes.coordinate_transformation_mode = exact ? "half_pixel" : "asymmetric";
    attributes.nearest_mode = exact ? "round_prefer_ceil" : "floor";
  } else {
    attributes.mode = mode === "bicubic" ? "cubic" : "linear";
    attributes.coordinate_transformation_mode = alignCorners ? "align_corners" : "half_pixel";
  }
  // For images PyTorch's "nearest" ignores a factor that comes to the same size or twice it.
  const ignored = mode === "nearest" && from.length === 2 && from.every((n, i) => to[i] === n || to[i] === 2 * n);
  const factors = options.scaleFactor === undefined || ignored ? undefined : spatialFactors(options.scaleFactor, from.length);
  const scales = ignored ? from.map((n, i) => to[i] / n) : factors;
  if (scales) {
    const data = Float32Array.from(scales);
    return builder.node(
      "Resize",
      [inputs[0], undefined, builder.constant({ kind: "float", data, shape: [data.length] })],
      attributes,
    );
  }
  return builder.node("Resize", [inputs[0], undefined, undefined, builder.ints(to)], attributes);
};

const spatialFactors = (factor: number | readonly number[], dims: number): readonly number[] =>
  typeof factor === "number" ? new Array<number>(dims).fill(factor) : factor;

export const imageEmitters: Emitters = {
  conv,
  convTranspose,
  instanceNorm: groupNorm,
  groupNorm,
  layerNorm,
  fixedBatchNorm,
  batchNorm,
  maxPool,
  adaptiveMaxPool,
  maxUnpool,
  avgPool,
  adaptiveAvgPool,
  interpolate,
};
