/**
 * @file The layers of a TensorFlow.js model as a chain that a channels-first engine can build: options in the words of PyTorch, weights in its
 * layout. Only what is unlike Keras is decided here; no layer is run.
 */
import type { TypedArray } from "../../host/array.ts";
import type { WeightTensor } from "../elements.ts";
import { type Fail, failing } from "../../host/bytes/budget.ts";
import { isRecord, type JsonRecord, list, record } from "../../host/bytes/json.ts";
import type { TfjsModel } from "./file.ts";

/** An activation by MONAI's name with PyTorch's options. */
export type TfjsActivation = readonly [name: string, options: Readonly<Record<string, number>>];

/** A layer; `tensors` by PyTorch's names (weight, bias, running_mean, running_var). */
export type TfjsLayer =
  | {
      readonly kind: "conv";
      readonly name: string;
      readonly tensors: ReadonlyMap<string, WeightTensor>;
      readonly options: {
        readonly spatialDims: 1 | 2 | 3;
        readonly inChannels: number;
        readonly outChannels: number;
        readonly kernelSize: readonly number[];
        readonly stride: readonly number[];
        readonly dilation: readonly number[];
        readonly groups: number;
        readonly padding: "same" | 0;
        readonly bias: boolean;
      };
    }
  | {
      readonly kind: "batchNorm";
      readonly name: string;
      readonly tensors: ReadonlyMap<string, WeightTensor>;
      readonly options: { readonly channels: number; readonly eps: number; readonly momentum: number };
    }
  | { readonly kind: "activation"; readonly name: string; readonly act: TfjsActivation }
  | { readonly kind: "dropout"; readonly name: string; readonly rate: number; readonly channels: boolean };

const supportedLayers =
  "InputLayer, Conv1D, Conv2D, Conv3D, BatchNormalization, Activation, ReLU, LeakyReLU, ELU, Softmax, Dropout and SpatialDropout";

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
  mish: ["MISH", {}],
  gelu: ["GELU", {}],
};

/**
 * The layers of a model in the order they run.
 * @throws FormatError for layers or options that are not supported, models that are no chain, and weights that do not fit their layer
 */
export function tfjsLayers({ source, topology, weights }: TfjsModel): TfjsLayer[] {
  const fail = failing(source);
  const layers = chain(topology, fail).flatMap((layer) => {
    const config = record(layer.config);
    const name = String(config.name ?? layer.name);
    const explain: Fail = (problem) => fail(`layer "${name}" (${String(layer.class_name)}): ${problem}`);
    return convert(String(layer.class_name), name, config, ownWeights(name, weights), explain);
  });
  if (new Set(layers.map(({ name }) => name)).size < layers.length) throw fail("two layers have the same name");
  return layers;
}

/** The weights of all layers by their names in the module: `name.weight`. */
export function tfjsStateDict(layers: readonly TfjsLayer[]): Map<string, WeightTensor> {
  const named = layers.flatMap((l) => ("tensors" in l ? [...l.tensors].map(([k, t]) => [`${l.name}.${k}`, t] as const) : []));
  return new Map(named);
}

function convert(
  type: string,
  name: string,
  config: JsonRecord,
  own: ReadonlyMap<string, WeightTensor>,
  fail: Fail,
): TfjsLayer[] {
  switch (type) {
    case "InputLayer":
      return [];
    case "Conv1D":
    case "Conv2D":
    case "Conv3D":
      return [
        conv(Number(type[4]) as 1 | 2 | 3, name, config, own, fail),
        ...activation(`${name}_activation`, config.activation, fail),
      ];
    case "BatchNormalization":
      return [batchNorm(name, config, own, fail)];
    case "Activation":
      return activation(name, config.activation, fail);
    case "ReLU": {
      const { max_value: max = null, negative_slope: slope = 0, threshold = 0 } = config;
      if (threshold !== 0 || (max !== null && (max !== 6 || slope !== 0)))
        throw fail("a threshold or this max_value is not supported");
      const act: TfjsActivation =
        slope === 0
          ? [max === 6 ? "RELU6" : "RELU", {}]
          : ["LEAKYRELU", { negativeSlope: number("negative_slope", slope, fail) }];
      return [{ kind: "activation", name, act }];
    }
    case "LeakyReLU":
      return [
        {
          kind: "activation",
          name,
          act: ["LEAKYRELU", { negativeSlope: number("alpha", config.alpha ?? config.negative_slope ?? 0.3, fail) }],
        },
      ];
    case "ELU":
      return [{ kind: "activation", name, act: ["ELU", { alpha: number("alpha", config.alpha ?? 1, fail) }] }];
    case "Softmax":
      if ((config.axis ?? -1) !== -1) throw fail("only a softmax over the channels (axis −1) is supported");
      return [{ kind: "activation", name, act: ["SOFTMAX", { axis: 1 }] }];
    case "Dropout":
    case "SpatialDropout1D":
    case "SpatialDropout2D":
    case "SpatialDropout3D":
      return [{ kind: "dropout", name, rate: number("rate", config.rate, fail), channels: type !== "Dropout" }];
    default:
      throw fail(`this kind of layer is not supported; supported are ${supportedLayers}`);
  }
}

function conv(dims: 1 | 2 | 3, name: string, config: JsonRecord, own: ReadonlyMap<string, WeightTensor>, fail: Fail): TfjsLayer {
  const kernel = own.get("kernel");
  const bias = config.use_bias !== false;
  const groups = number("groups", config.groups ?? 1, fail);
  if (kernel?.shape.length !== dims + 2) throw fail(`expected a kernel with ${dims + 2} axes among its weights`);
  if (bias !== own.has("bias") || own.size !== (bias ? 2 : 1)) throw fail(`its weights are ${[...own.keys()].join(", ")}`);
  const [inGroup, outChannels] = kernel.shape.slice(dims);
  const stride = spatial("strides", config.strides, dims, fail);
  const { padding = "valid" } = config;
  if (padding !== "same" && padding !== "valid") throw fail(`padding ${JSON.stringify(padding)} is not supported`);
  if (padding === "same" && stride.some((s) => s !== 1)) throw fail('padding "same" is supported with stride 1 only');
  if (bias && !sameSize(own.get("bias")!, outChannels)) throw fail(`its bias does not have ${outChannels} values`);
  // [taps…, in, out] → [out, in, taps…]
  const weight = transposed(kernel, [dims + 1, dims, ...Array.from({ length: dims }, (_, i) => i)]);
  return {
    kind: "conv",
    name,
    tensors: new Map([["weight", weight], ...(bias ? [["bias", own.get("bias")!] as const] : [])]),
    options: {
      spatialDims: dims,
      inChannels: inGroup * groups,
      outChannels,
      kernelSize: kernel.shape.slice(0, dims),
      stride,
      dilation: spatial("dilation_rate", config.dilation_rate, dims, fail),
      groups,
      padding: padding === "same" ? "same" : 0,
      bias,
    },
  };
}

function batchNorm(name: string, config: JsonRecord, own: ReadonlyMap<string, WeightTensor>, fail: Fail): TfjsLayer {
  const mean = own.get("moving_mean");
  const channels = mean?.data.length ?? 0;
  if (!mean || !own.has("moving_variance")) throw fail("it has no moving mean and variance");
  if (![...own.values()].every((t) => sameSize(t, channels))) throw fail("its weights differ in size");
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
  return {
    kind: "batchNorm",
    name,
    tensors,
    options: { channels, eps, momentum: 1 - number("momentum", config.momentum ?? 0.99, fail) },
  };
}

function activation(name: string, value: unknown, fail: Fail): TfjsLayer[] {
  if (value === undefined || value === null || value === "linear") return [];
  if (typeof value !== "string" || !Object.hasOwn(kerasActivations, value))
    throw fail(
      `the activation ${JSON.stringify(value)} is not supported; supported are ${Object.keys(kerasActivations).join(", ")}`,
    );
  return [{ kind: "activation", name, act: kerasActivations[value] }];
}

/** Weights of a layer by the last part of their names, as in `conv/kernel` and `conv/conv/kernel:0`. */
function ownWeights(name: string, weights: ReadonlyMap<string, WeightTensor>): Map<string, WeightTensor> {
  const own = [...weights].filter(([key]) => key.startsWith(`${name}/`));
  return new Map(own.map(([key, t]) => [key.split("/").at(-1)!.replace(/:\d+$/, ""), t]));
}

/** Layers from the input on, each fed by the one before. */
function chain(topology: JsonRecord, fail: Fail): JsonRecord[] {
  const { config } = topology;
  const layers = list(isRecord(config) ? config.layers : config).map(record);
  if (layers.length === 0) throw fail("the model has no layers");
  if (topology.class_name === "Sequential") return layers;
  const next = new Map<string | undefined, JsonRecord>();
  for (const layer of layers) {
    const inputs = inputNames(layer.inbound_nodes);
    if (inputs.length > 1 || next.has(inputs[0]))
      throw fail(`layer "${String(layer.name)}" makes the model branch; only chains of layers are supported`);
    next.set(inputs[0], layer);
  }
  const ordered: JsonRecord[] = [];
  for (let at = next.get(undefined); at && ordered.length < layers.length; at = next.get(String(at.name))) ordered.push(at);
  if (ordered.length !== layers.length) throw fail("the layers do not form one chain from the input on");
  return ordered;
}

/** Names of the layers that feed one: of Keras 2, `[[["name", 0, 0, {}]]]`, or of Keras 3, inside of `keras_history`. */
function inputNames(nodes: unknown): string[] {
  const names: string[] = [];
  const search = (value: unknown, depth: number): void => {
    if (depth > 8) return;
    if (Array.isArray(value) && typeof value[0] === "string" && Number.isInteger(value[1])) names.push(value[0]);
    else if (Array.isArray(value)) for (const v of value) search(v, depth + 1);
    else if (isRecord(value)) for (const v of Object.values(value)) search(v, depth + 1);
  };
  search(nodes, 0);
  return names;
}

/** Copy with the axes in another order. */
function transposed(tensor: WeightTensor, axes: readonly number[]): WeightTensor {
  const { shape, data, dtype } = tensor;
  const strides = shape.map((_, i) => shape.slice(i + 1).reduce((a, b) => a * b, 1));
  const to = axes.map((a) => shape[a]);
  const by = axes.map((a) => strides[a]);
  const out = new (data.constructor as new (n: number) => TypedArray)(data.length);
  const index = to.map(() => 0);
  let from = 0;
  for (let i = 0; i < out.length; i++) {
    out[i] = data[from];
    for (let axis = to.length - 1; axis >= 0; axis--) {
      from += by[axis];
      if (++index[axis] < to[axis]) break;
      from -= by[axis] * to[axis];
      index[axis] = 0;
    }
  }
  return { dtype, shape: to, data: out };
}

const sameSize = ({ shape }: WeightTensor, size: number): boolean => shape.length === 1 && shape[0] === size;

function number(field: string, value: unknown, fail: Fail): number {
  if (typeof value !== "number" || !Number.isFinite(value)) throw fail(`${field} is ${JSON.stringify(value)}; expected a number`);
  return value;
}

function spatial(field: string, value: unknown, dims: number, fail: Fail): number[] {
  const sizes =
    typeof value === "number" ? Array.from({ length: dims }, () => value) : list(value ?? Array.from({ length: dims }, () => 1));
  if (sizes.length !== dims || !sizes.every((v) => Number.isInteger(v) && (v as number) > 0))
    throw fail(`${field} is ${JSON.stringify(value)}; expected ${dims} sizes`);
  return sizes as number[];
}
