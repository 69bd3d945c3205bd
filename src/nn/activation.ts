/** @file Activation layers and their MONAI names. */

import { elu, leakyRelu, relu, sigmoid, tanh } from "../autograd/pointwise.ts";
import { prelu } from "../autograd/prelu.ts";
import { softmax } from "../autograd/softmax.ts";
import type { Device } from "../tensor/device.ts";
import { ConfigError } from "../tensor/errors.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { constantParameter } from "./init.ts";
import { Module } from "./module.ts";

/** A parameter-free function as a layer. */
export class Activation extends Module {
  private readonly apply: (x: Tensor) => Tensor;

  constructor(apply: (x: Tensor) => Tensor) {
    super();
    this.apply = apply;
  }

  forward(x: Tensor): Tensor {
    return this.apply(x);
  }
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

/** MONAI's names, with their options where they have any. */
export type ActivationSpec =
  | "PRELU"
  | "RELU"
  | "LEAKYRELU"
  | "ELU"
  | "SIGMOID"
  | "TANH"
  | "SOFTMAX"
  | readonly ["PRELU", { readonly numParameters?: number; readonly init?: number }]
  | readonly ["LEAKYRELU", { readonly negativeSlope?: number }]
  | readonly ["ELU", { readonly alpha?: number }]
  | readonly ["SOFTMAX", { readonly dim?: number }];

/** The layer of a MONAI activation name, in any case. Throws `ConfigError` for an unknown one. */
export function activationLayer(device: Device, spec: ActivationSpec): Module {
  const [name, options] = (typeof spec === "string" ? [spec, {}] : spec) as [string, Record<string, number>];
  switch (name.toUpperCase()) {
    case "PRELU":
      return new PReLU(device, options);
    case "RELU":
      return new Activation(relu);
    case "LEAKYRELU":
      return new Activation((x) => leakyRelu(x, options.negativeSlope));
    case "ELU":
      return new Activation((x) => elu(x, options.alpha));
    case "SIGMOID":
      return new Activation(sigmoid);
    case "TANH":
      return new Activation(tanh);
    case "SOFTMAX":
      return new Activation((x) => softmax(x, options.dim));
    default:
      throw new ConfigError(`unknown activation "${name}"; known are PRELU, RELU, LEAKYRELU, ELU, SIGMOID, TANH and SOFTMAX`);
  }
}
