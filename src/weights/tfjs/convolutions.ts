/** @file Keras layers that are convolutions or products, with their weights in PyTorch's layout. */

import type { WeightTensor } from "../elements.ts";
import { type Ends, hasSize, number, paddingOf, spatial, transposed } from "./fields.ts";
import { dimsOf, type Layer, type Made } from "./keras_layer.ts";

const axes = (dims: number): number[] => Array.from({ length: dims }, (_, i) => i);

/** The weights of a layer that should have these and, if it says so, a bias of `outputs`. */
function biasOf({ config, own, fail }: Layer, kernels: number, outputs: number): WeightTensor | undefined {
  const wanted = config.use_bias !== false;
  if (wanted !== own.has("bias") || own.size !== kernels + (wanted ? 1 : 0))
    throw fail(`its weights are ${[...own.keys()].join(", ")}`);
  const bias = own.get("bias");
  if (bias && !hasSize(bias, outputs)) throw fail(`its bias does not have ${outputs} values`);
  return bias;
}

function kernelOf({ own, fail }: Layer, rank: number, name = "kernel"): WeightTensor {
  const kernel = own.get(name);
  if (kernel?.shape.length !== rank) throw fail(`expected a ${name} with ${rank} axes among its weights`);
  return kernel;
}

const tensorsOf = (weight: WeightTensor, bias: WeightTensor | undefined): Map<string, WeightTensor> =>
  new Map([["weight", weight], ...(bias ? [["bias", bias] as const] : [])]);

function geometry(layer: Layer, dims: 1 | 2 | 3) {
  const { config, fail } = layer;
  return {
    spatialDims: dims,
    stride: spatial("strides", config.strides, dims, fail),
    dilation: spatial("dilation_rate", config.dilation_rate, dims, fail),
    padding: paddingOf(config.padding, fail),
  };
}

export function convolution(layer: Layer): Made[] {
  const dims = dimsOf(layer);
  const groups = number("groups", layer.config.groups ?? 1, layer.fail);
  const kernel = kernelOf(layer, dims + 2);
  const [inGroup, outChannels] = kernel.shape.slice(dims);
  const bias = biasOf(layer, 1, outChannels);
  // [taps…, in, out] → [out, in, taps…]
  const weight = transposed(kernel, [dims + 1, dims, ...axes(dims)]);
  const options = {
    ...geometry(layer, dims),
    inChannels: inGroup * groups,
    outChannels,
    kernelSize: kernel.shape.slice(0, dims),
    groups,
    bias: bias !== undefined,
  };
  return [{ suffix: "", operation: { kind: "conv", tensors: tensorsOf(weight, bias), options } }];
}

/** A convolution of each channel alone, `[taps…, in, multiplier]`; the results of one channel lie beside each other. */
function channelwise(layer: Layer, bias: WeightTensor | undefined): Made["operation"] {
  const dims = dimsOf(layer);
  const kernel = kernelOf(layer, dims + 2, "depthwise_kernel");
  const [channels, multiplier] = kernel.shape.slice(dims);
  const moved = transposed(kernel, [dims, dims + 1, ...axes(dims)]);
  const taps = kernel.shape.slice(0, dims);
  const weight = { ...moved, shape: [channels * multiplier, 1, ...taps] };
  const options = {
    ...geometry(layer, dims),
    inChannels: channels,
    outChannels: channels * multiplier,
    kernelSize: taps,
    groups: channels,
    bias: bias !== undefined,
  };
  return { kind: "conv", tensors: tensorsOf(weight, bias), options };
}

export function depthwise(layer: Layer): Made[] {
  const [channels, multiplier] = kernelOf(layer, dimsOf(layer) + 2, "depthwise_kernel").shape.slice(dimsOf(layer));
  return [{ suffix: "", operation: channelwise(layer, biasOf(layer, 1, channels * multiplier)) }];
}

export function separable(layer: Layer): Made[] {
  const dims = dimsOf(layer);
  const kernel = kernelOf(layer, dims + 2, "pointwise_kernel");
  const [inChannels, outChannels] = kernel.shape.slice(dims);
  const bias = biasOf(layer, 2, outChannels);
  const ones = axes(dims).map(() => 1);
  const options = {
    spatialDims: dims,
    inChannels,
    outChannels,
    kernelSize: ones,
    stride: ones,
    dilation: ones,
    groups: 1,
    padding: 0,
    bias: bias !== undefined,
  } as const;
  const weight = transposed(kernel, [dims + 1, dims, ...axes(dims)]);
  return [
    { suffix: "_depthwise", operation: channelwise(layer, undefined) },
    { suffix: "", operation: { kind: "conv", tensors: tensorsOf(weight, bias), options } },
  ];
}

export function transposedConvolution(layer: Layer): Made[] {
  const { config, fail } = layer;
  const dims = dimsOf(layer);
  const kernel = kernelOf(layer, dims + 2);
  const [outChannels, inChannels] = kernel.shape.slice(dims);
  const bias = biasOf(layer, 1, outChannels);
  const { stride, dilation, padding } = geometry(layer, dims);
  if (dilation.some((d) => d !== 1)) throw fail("a dilation_rate is not supported");
  if (config.output_padding !== undefined && config.output_padding !== null) throw fail("output_padding is not supported");
  const kernelSize = kernel.shape.slice(0, dims);
  // The convolution that it undoes pads by what the taps reach beyond the stride, the end more than the start.
  const cut = kernelSize.map((k, i): Ends => {
    const total = padding === "same" ? Math.max(0, k - stride[i]) : 0;
    return [Math.floor(total / 2), Math.ceil(total / 2)];
  });
  const outputPadding = kernelSize.map((k, i) => Math.max(0, stride[i] - k));
  // [taps…, out, in] → [in, out, taps…]
  const weight = transposed(kernel, [dims + 1, dims, ...axes(dims)]);
  const options = {
    spatialDims: dims,
    inChannels,
    outChannels,
    kernelSize,
    stride,
    padding: cut,
    outputPadding,
    bias: bias !== undefined,
  };
  return [{ suffix: "", operation: { kind: "convTranspose", tensors: tensorsOf(weight, bias), options } }];
}

export function dense(layer: Layer): Made[] {
  if (layer.channelsFirst) throw layer.fail("it is not supported in models with the channels first");
  const kernel = kernelOf(layer, 2);
  const [inFeatures, outFeatures] = kernel.shape;
  const bias = biasOf(layer, 1, outFeatures);
  const options = { inFeatures, outFeatures, bias: bias !== undefined };
  return [{ suffix: "", operation: { kind: "dense", tensors: tensorsOf(transposed(kernel, [1, 0]), bias), options } }];
}
