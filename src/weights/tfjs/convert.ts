/** @file Keras layers by the name of their class. */

import { list } from "../../host/bytes/json.ts";
import type { WeightTensor } from "../elements.ts";
import { convolution, dense, depthwise, separable, transposedConvolution } from "./convolutions.ts";
import { ends, hasSize, number, paddingOf, spatial } from "./fields.ts";
import { dimsOf, type Layer, type Made } from "./keras_layer.ts";
import type { TfjsActivation, TfjsOperation } from "./operation.ts";

type Converter = (layer: Layer) => readonly Made[];

const one = (operation: TfjsOperation): Made[] => [{ suffix: "", operation }];

/** Keras activations; a softmax is over the channels, which are axis 1 here. */
const kerasActivations: Readonly<Record<string, TfjsActivation>> = {
  relu: ["RELU", {}],
  relu6: ["RELU6", {}],
  elu: ["ELU", {}],
  selu: ["SELU", {}],
  sigmoid: ["SIGMOID", {}],
  tanh: ["TANH", {}],
  softmax: ["SOFTMAX", { axis: 1 }],
  softplus: ["SOFTPLUS", {}],
  swish: ["SILU", {}],
  silu: ["SILU", {}],
  mish: ["MISH", {}],
  gelu: ["GELU", {}],
  leaky_relu: ["LEAKYRELU", { negativeSlope: 0.2 }],
};

function activation({ config: { activation: value }, channelsFirst, fail }: Layer, suffix = ""): Made[] {
  if (value === undefined || value === null || value === "linear") return [];
  if (typeof value !== "string" || !Object.hasOwn(kerasActivations, value))
    throw fail(
      `the activation ${JSON.stringify(value)} is not supported; supported are ${Object.keys(kerasActivations).join(", ")}`,
    );
  if (value === "softmax" && channelsFirst)
    throw fail("a softmax over the last axis, which is not that of the channels, is not supported");
  return [{ suffix, operation: { kind: "activation", act: kerasActivations[value] } }];
}

/** A layer with weights, and the activation that it ends with. */
const activated =
  (make: (layer: Layer) => readonly Made[]): Converter =>
  (layer) => [...make(layer), ...activation(layer, "_activation")];

function relu({ config, fail }: Layer): Made[] {
  const { max_value: max = null, negative_slope: slope = 0, threshold = 0 } = config;
  if (threshold !== 0 || (max !== null && (max !== 6 || slope !== 0)))
    throw fail("a threshold or this max_value is not supported");
  if (slope !== 0 && slope !== null)
    return one({ kind: "activation", act: ["LEAKYRELU", { negativeSlope: number("negative_slope", slope, fail) }] });
  return one({ kind: "activation", act: [max === 6 ? "RELU6" : "RELU", {}] });
}

function leakyRelu({ config, fail }: Layer): Made[] {
  const negativeSlope = number("alpha", config.alpha ?? config.negative_slope ?? 0.3, fail);
  return one({ kind: "activation", act: ["LEAKYRELU", { negativeSlope }] });
}

function softmax({ config, channelsFirst, fail }: Layer): Made[] {
  const axis = config.axis ?? -1;
  if (channelsFirst ? axis !== 1 : axis !== -1) throw fail("only a softmax over the channels (axis −1) is supported");
  return one({ kind: "activation", act: ["SOFTMAX", { axis: 1 }] });
}

function prelu({ own, fail }: Layer): Made[] {
  const alpha = own.get("alpha");
  const channels = alpha?.shape.at(-1) ?? 0;
  if (!alpha || alpha.data.length !== channels)
    throw fail("a slope for each place is not supported, only one per channel (shared_axes of all others)");
  const weight = { ...alpha, shape: [channels] };
  return one({ kind: "prelu", channels, tensors: new Map([["weight", weight]]) });
}

function batchNorm({ config, own, fail }: Layer): Made[] {
  const mean = own.get("moving_mean");
  const channels = mean?.data.length ?? 0;
  if (!mean || !own.has("moving_variance")) throw fail("it has no moving mean and variance");
  if (![...own.values()].every((t) => hasSize(t, channels))) throw fail("its weights differ in size");
  const axis = list([config.axis ?? -1].flat());
  if (axis.length !== 1 || (axis[0] as number) === 0) throw fail("only the norm of each channel is supported");
  // A scale or shift that the layer lacks is 1 or 0.
  const constant = (value: number): WeightTensor => ({
    dtype: "F32",
    shape: [channels],
    data: new Float32Array(channels).fill(value),
  });
  const tensors = new Map([
    ["weight", own.get("gamma") ?? constant(1)],
    ["bias", own.get("beta") ?? constant(0)],
    ["running_mean", mean],
    ["running_var", own.get("moving_variance")!],
  ]);
  const eps = number("epsilon", config.epsilon ?? 1e-3, fail);
  // Keras keeps the share of the past, PyTorch that of the present.
  const momentum = 1 - number("momentum", config.momentum ?? 0.99, fail);
  return one({ kind: "batchNorm", tensors, options: { channels, eps, momentum } });
}

const pool =
  (of: "max" | "average"): Converter =>
  (layer) => {
    const { config, fail } = layer;
    const kernelSize = spatial("pool_size", config.pool_size ?? 2, dimsOf(layer), fail);
    const stride =
      config.strides === null || config.strides === undefined
        ? kernelSize
        : spatial("strides", config.strides, dimsOf(layer), fail);
    return one({ kind: "pool", of, options: { kernelSize, stride, padding: paddingOf(config.padding, fail) } });
  };

const globalPool =
  (of: "max" | "average"): Converter =>
  ({ config }) =>
    one({ kind: "globalPool", of, keepDims: config.keepdims === true });

function upsample(layer: Layer): Made[] {
  const { config, fail, madeInTfjs } = layer;
  const { interpolation = "nearest" } = config;
  if (interpolation !== "nearest" && interpolation !== "bilinear")
    throw fail(`interpolation ${JSON.stringify(interpolation)} is not supported`);
  if (interpolation === "bilinear" && madeInTfjs)
    throw fail("bilinear interpolation by the corners of pixels, which TensorFlow.js does unlike Keras, is not supported");
  const factor = spatial("size", config.size ?? 2, dimsOf(layer), fail);
  return one({ kind: "upsample", factor, mode: interpolation === "nearest" ? "nearest" : "linear" });
}

function concat({ config, channelsFirst, fail }: Layer): Made[] {
  const axis = number("axis", config.axis ?? -1, fail);
  if (!Number.isInteger(axis) || axis === 0) throw fail(`axis is ${axis}; expected one of channels or space`);
  return one({ kind: "concat", axis, channelsFirst });
}

function reshape({ config, channelsFirst, fail }: Layer): Made[] {
  if (channelsFirst) throw fail("it is not supported in models with the channels first");
  const shape = list(config.target_shape);
  if (!shape.every((v) => Number.isInteger(v) && ((v as number) > 0 || v === -1)) || shape.filter((v) => v === -1).length > 1)
    throw fail(`target_shape is ${JSON.stringify(config.target_shape)}; expected a list of sizes`);
  return one({ kind: "reshape", shape: shape as number[] });
}

function flatten({ channelsFirst, fail }: Layer): Made[] {
  if (channelsFirst) throw fail("it is not supported in models with the channels first");
  return one({ kind: "reshape", shape: [-1] });
}

const dropout: Converter = ({ type, config, fail }) =>
  one({ kind: "dropout", rate: number("rate", config.rate, fail), channels: type !== "Dropout" });

const merge = (of: "add" | "subtract" | "multiply" | "average" | "maximum" | "minimum"): Converter => {
  return () => one({ kind: "merge", of });
};

const edges =
  (kind: "pad" | "crop", field: string): Converter =>
  (layer) =>
    one({ kind, ends: ends(field, layer.config[field] ?? 1, dimsOf(layer), layer.fail) });

const rescale: Converter = ({ config, fail }) =>
  one({ kind: "affine", factor: number("scale", config.scale, fail), offset: number("offset", config.offset ?? 0, fail) });

/** The same converter for 1, 2 and 3 spatial axes. */
const forDims = (name: string, converter: Converter, dims: readonly number[] = [1, 2, 3]): Record<string, Converter> =>
  Object.fromEntries(dims.map((d) => [`${name}${d}D`, converter]));

export const converters: Readonly<Record<string, Converter>> = {
  InputLayer: () => [],
  ...forDims("Conv", activated(convolution)),
  ...forDims("DepthwiseConv", activated(depthwise), [1, 2]),
  ...forDims("SeparableConv", activated(separable), [1, 2]),
  Conv2DTranspose: activated(transposedConvolution),
  Conv3DTranspose: activated(transposedConvolution),
  Dense: activated(dense),
  BatchNormalization: batchNorm,
  Activation: (layer) => activation(layer),
  ReLU: relu,
  LeakyReLU: leakyRelu,
  PReLU: prelu,
  ELU: ({ config, fail }) => one({ kind: "activation", act: ["ELU", { alpha: number("alpha", config.alpha ?? 1, fail) }] }),
  Softmax: softmax,
  ...forDims("MaxPooling", pool("max")),
  ...forDims("AveragePooling", pool("average")),
  ...forDims("GlobalMaxPooling", globalPool("max")),
  ...forDims("GlobalAveragePooling", globalPool("average")),
  ...forDims("UpSampling", upsample),
  ...forDims("ZeroPadding", edges("pad", "padding")),
  ...forDims("Cropping", edges("crop", "cropping")),
  Concatenate: concat,
  Add: merge("add"),
  Subtract: merge("subtract"),
  Multiply: merge("multiply"),
  Average: merge("average"),
  Maximum: merge("maximum"),
  Minimum: merge("minimum"),
  Rescaling: rescale,
  Flatten: flatten,
  Reshape: reshape,
  Dropout: dropout,
  ...forDims("SpatialDropout", dropout),
};
