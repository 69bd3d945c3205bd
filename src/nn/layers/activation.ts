/** @file Activation layers and their MONAI names. */

import { expectArguments } from "../../host/kinds.ts";
import { expectDevice } from "../../tensor/kind.ts";
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
import { expectNormActivation } from "../../autograd/option_words.ts";
import { prelu } from "../../autograd/prelu.ts";
import { logSoftmax, softmax } from "../../autograd/softmax.ts";
import { split } from "../../autograd/view.ts";
import type { Device } from "../../tensor/device.ts";
import { ConfigError } from "../../host/errors.ts";
import { expectNames, expectOptions } from "../../host/options.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { constantParameter } from "../init.ts";
import { type AnyCase, named } from "./named.ts";
import { forwardsAs, Module } from "../module.ts";

/** A function without parameters as a layer: `new Activation(relu)`, or `activationLayer` by name. Any shape that `apply` takes. */
export class Activation extends Module {
  private readonly apply: (x: Tensor) => Tensor;
  /** What a norm has to do to make this layer needless, if it can. @internal */
  readonly asPartOfNorm: NormActivation | undefined;

  constructor(apply: (x: Tensor) => Tensor, asPartOfNorm: NormActivation | undefined = apply === relu ? "relu" : undefined) {
    expectArguments("Activation", "function", { apply });
    expectNormActivation("Activation", asPartOfNorm);
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
  if (layer instanceof PReLU && forwardsAs(layer, PReLU)) return { prelu: layer.weight };
  return layer instanceof Activation && forwardsAs(layer, Activation) ? layer.asPartOfNorm : undefined;
}

/**
 * Parametric ReLU (He et al. 2015) of `[N, C, …]` with `numParameters` slopes, 1 or the number of channels, starting at `init`. State dict: `weight`. `forward`
 * throws `ShapeError` for other numbers of channels.
 */
export class PReLU extends Module {
  /** The slopes, `[numParameters]`. */
  readonly weight: Tensor;

  constructor(device: Device, options: { readonly numParameters?: number; readonly init?: number } = {}) {
    expectOptions("PReLU", options, "numParameters:number init:number");
    expectDevice("PReLU", device);
    const { numParameters = 1, init = 0.25 } = options;
    super();
    this.weight = constantParameter(device, [numParameters], init);
  }

  forward(x: Tensor): Tensor {
    return prelu(x, this.weight);
  }
}

/** Of activations that are told nothing. */
export type NoOptions = Readonly<Record<string, never>>;

/** What each activation may be told, by MONAI's names. The words are PyTorch's in camelCase, but `axis` for its `dim`. */
export interface ActivationOptions {
  /** `PReLU` with `numParameters` slopes (default 1) that start at `init` (default .25). */
  readonly PRELU: { readonly numParameters?: number; readonly init?: number };
  /** max(x, 0). */
  readonly RELU: NoOptions;
  /** min(max(x, 0), 6). */
  readonly RELU6: NoOptions;
  /** `leakyRelu`; `negativeSlope` is by default .01. */
  readonly LEAKYRELU: { readonly negativeSlope?: number };
  /** `elu`; `alpha` is by default 1. */
  readonly ELU: { readonly alpha?: number };
  /** max(x, 0) + min(alpha · (exp(x / alpha) − 1), 0); `alpha` is by default 1. */
  readonly CELU: { readonly alpha?: number };
  /** Self-normalizing ELU (Klambauer et al. 2017). */
  readonly SELU: NoOptions;
  /** `gelu` (Hendrycks and Gimpel 2016), exact or by tanh. */
  readonly GELU: GeluOptions;
  /** 1 / (1 + exp(−x)). */
  readonly SIGMOID: NoOptions;
  /** log(sigmoid(x)). */
  readonly LOGSIGMOID: NoOptions;
  /** tanh(x). */
  readonly TANH: NoOptions;
  /** `softmax` along `axis`, by default the channels. */
  readonly SOFTMAX: { readonly axis?: number };
  /** `logSoftmax` along `axis`, by default the channels. */
  readonly LOGSOFTMAX: { readonly axis?: number };
  /** log(1 + exp(x)). */
  readonly SOFTPLUS: SoftplusOptions;
  /** x · relu6(x + 3) / 6. */
  readonly HARDSWISH: NoOptions;
  /** x · sigmoid(x). */
  readonly SILU: NoOptions;
  /** x · sigmoid(alpha · x); `alpha` is by default 1. */
  readonly SWISH: { readonly alpha?: number };
  /** MONAI's saves memory by computing the sigmoid again in the backward pass: silu always does. */
  readonly MEMSWISH: NoOptions;
  /** x · tanh(softplus(x)). */
  readonly MISH: NoOptions;
  /** The last axis in two halves (Shazeer 2020). */
  readonly GEGLU: NoOptions;
}

/** A MONAI name, alone or with its options. */
export type ActivationSpec =
  | AnyCase<keyof ActivationOptions>
  | { [K in keyof ActivationOptions]: readonly [AnyCase<K>, ActivationOptions[K]] }[keyof ActivationOptions];

type Pointwise = (x: Tensor) => Tensor;

/** Functions from their options; PRELU has a parameter and is a layer of its own. */
const functions: { readonly [K in Exclude<keyof ActivationOptions, "PRELU">]: (options: ActivationOptions[K]) => Pointwise } = {
  RELU: () => relu,
  RELU6: () => relu6,
  LEAKYRELU: (o) => (x) => leakyRelu(x, o.negativeSlope),
  ELU: (o) => (x) => elu(x, o.alpha),
  CELU:
    ({ alpha = 1 }) =>
    (x) =>
      affine(elu(affine(x, 1 / alpha)), alpha),
  SELU: () => selu,
  GELU: (o) => (x) => gelu(x, o),
  SIGMOID: () => sigmoid,
  LOGSIGMOID: () => logSigmoid,
  TANH: () => tanh,
  SOFTMAX: (o) => (x) => softmax(x, o.axis),
  LOGSOFTMAX: (o) => (x) => logSoftmax(x, o.axis),
  SOFTPLUS: (o) => (x) => softplus(x, o),
  HARDSWISH: () => hardswish,
  SILU: () => (x) => silu(x),
  SWISH: (o) => (x) => silu(x, o.alpha),
  MEMSWISH: () => (x) => silu(x),
  MISH: () => mish,
  GEGLU: () => (x) => {
    const [value, gate] = split(x, Math.ceil(x.shape.at(-1)! / 2), -1);
    return mul(value, gelu(gate));
  },
};

/** The names of their options; the others take none. */
const names: { readonly [K in keyof ActivationOptions]?: string } = {
  PRELU: "numParameters init",
  LEAKYRELU: "negativeSlope",
  ELU: "alpha",
  CELU: "alpha",
  GELU: "approximate",
  SOFTMAX: "axis",
  LOGSOFTMAX: "axis",
  SOFTPLUS: "beta threshold",
  SWISH: "alpha",
};

/** The layer of a MONAI activation name, in any case. Throws `ConfigError` for an unknown one. */
export function activationLayer(device: Device, spec: ActivationSpec): Module {
  expectDevice("activationLayer", device);
  type Options = ActivationOptions["PRELU"] & ActivationOptions["LEAKYRELU"];
  const [given, options] = named("activation", spec) as readonly [string, Options];
  const name = given.toUpperCase();
  if (name === "PRELU") return new PReLU(device, options);
  if (!Object.hasOwn(functions, name)) {
    throw new ConfigError(`unknown activation "${given}"; known are PRELU, ${Object.keys(functions).join(", ")}`);
  }
  expectNames(`activation "${given}"`, options ?? {}, names[name as keyof ActivationOptions] ?? "");
  const apply = (functions as Readonly<Record<string, (o: object) => Pointwise>>)[name](options);
  return new Activation(apply, name === "LEAKYRELU" ? { leakyRelu: options.negativeSlope ?? 0.01 } : undefined);
}
