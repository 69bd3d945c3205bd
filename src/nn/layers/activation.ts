/** @file Activation layers and their MONAI names. */

import {
  affine,
  elu,
  gelu,
  type GeluOptions,
  hardswish,
  leakyRelu,
  logSigmoid,
  mish,
  mul,
  relu,
  relu6,
  selu,
  sigmoid,
  silu,
  softplus,
  type SoftplusOptions,
  tanh,
} from "../../autograd/pointwise.ts";
import type { NormActivation } from "../../autograd/norm.ts";
import { prelu } from "../../autograd/prelu.ts";
import { logSoftmax, softmax } from "../../autograd/softmax.ts";
import { split } from "../../autograd/view.ts";
import type { Device } from "../../tensor/device.ts";
import { ConfigError } from "../../host/errors.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { constantParameter } from "../init.ts";
import { Module } from "../module.ts";

/** A parameter-free function as a layer. */
export class Activation extends Module {
  private readonly apply: (x: Tensor) => Tensor;
  /** What a norm has to do to make this layer needless, if it can. */
  readonly asPartOfNorm: NormActivation | undefined;

  constructor(apply: (x: Tensor) => Tensor, asPartOfNorm: NormActivation | undefined = apply === relu ? "relu" : undefined) {
    super();
    this.apply = apply;
    this.asPartOfNorm = asPartOfNorm;
  }

  forward(x: Tensor): Tensor {
    return this.apply(x);
  }
}

/** How a norm does the work of a layer behind it, if it can. */
export function asPartOfNorm(layer: Module): NormActivation | undefined {
  if (layer instanceof PReLU) return { prelu: layer.weight };
  return layer instanceof Activation ? layer.asPartOfNorm : undefined;
}

/** Parametric ReLU with `numParameters` slopes (1 or the number of channels), starting at `init`. */
export class PReLU extends Module {
  readonly weight: Tensor;

  constructor(device: Device, { numParameters = 1, init = 0.25 } = {}) {
    super();
    this.weight = constantParameter(device, [numParameters], init);
  }

  forward(x: Tensor): Tensor {
    return prelu(x, this.weight);
  }
}

type Numbers = Readonly<Record<string, number | undefined>>;

/** Functions by MONAI's names, from their options; the option names are PyTorch's in camelCase, but `axis` for its `dim`. */
const functions = {
  RELU: () => relu,
  RELU6: () => relu6,
  LEAKYRELU:
    ({ negativeSlope }: { readonly negativeSlope?: number }) =>
    (x: Tensor) =>
      leakyRelu(x, negativeSlope),
  ELU:
    ({ alpha }: { readonly alpha?: number }) =>
    (x: Tensor) =>
      elu(x, alpha),
  CELU:
    ({ alpha = 1 }: { readonly alpha?: number }) =>
    (x: Tensor) =>
      affine(elu(affine(x, 1 / alpha)), alpha),
  SELU: () => selu,
  GELU: (options: GeluOptions) => (x: Tensor) => gelu(x, options),
  SIGMOID: () => sigmoid,
  LOGSIGMOID: () => logSigmoid,
  TANH: () => tanh,
  SOFTMAX:
    ({ axis }: { readonly axis?: number }) =>
    (x: Tensor) =>
      softmax(x, axis),
  LOGSOFTMAX:
    ({ axis }: { readonly axis?: number }) =>
    (x: Tensor) =>
      logSoftmax(x, axis),
  SOFTPLUS: (options: SoftplusOptions) => (x: Tensor) => softplus(x, options),
  HARDSWISH: () => hardswish,
  SILU: () => (x: Tensor) => silu(x),
  SWISH:
    ({ alpha }: { readonly alpha?: number }) =>
    (x: Tensor) =>
      silu(x, alpha),
  // MONAI's saves memory by computing the sigmoid again in the backward pass: silu always does.
  MEMSWISH: () => (x: Tensor) => silu(x),
  MISH: () => mish,
  // The last axis in two halves (Shazeer 2020).
  GEGLU: () => (x: Tensor) => {
    const [value, gate] = split(x, Math.ceil(x.shape.at(-1)! / 2), -1);
    return mul(value, gelu(gate));
  },
} as const satisfies Record<string, (options: never) => (x: Tensor) => Tensor>;

type Functions = typeof functions;

/** MONAI's names, with their options where they have any. */
export type ActivationSpec =
  | "PRELU"
  | keyof Functions
  | readonly ["PRELU", { readonly numParameters?: number; readonly init?: number }]
  | { [K in keyof Functions]: readonly [K, NonNullable<Parameters<Functions[K]>[0]>] }[keyof Functions];

/** The layer of a MONAI activation name, in any case. Throws `ConfigError` for an unknown one. */
export function activationLayer(device: Device, spec: ActivationSpec): Module {
  const [given, options] = (typeof spec === "string" ? [spec, {}] : spec) as readonly [string, Numbers];
  const name = given.toUpperCase();
  if (name === "PRELU") return new PReLU(device, options);
  if (!Object.hasOwn(functions, name)) {
    throw new ConfigError(`unknown activation "${given}"; known are PRELU, ${Object.keys(functions).join(", ")}`);
  }
  const apply = (functions as Readonly<Record<string, (o: Numbers) => (x: Tensor) => Tensor>>)[name](options);
  return new Activation(apply, name === "LEAKYRELU" ? { leakyRelu: options.negativeSlope ?? 0.01 } : undefined);
}
