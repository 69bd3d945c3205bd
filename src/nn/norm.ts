/** @file Normalisation layers and their MONAI names. */

import { batchNorm, groupNorm, instanceNorm, layerNorm } from "../autograd/norm.ts";
import { add, affine, mul, reciprocal, sqrt } from "../autograd/pointwise.ts";
import { reshape } from "../autograd/view.ts";
import type { Device } from "../tensor/device.ts";
import { ConfigError } from "../tensor/errors.ts";
import { keep } from "../tensor/scope.ts";
import type { Shape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { constantParameter } from "./init.ts";
import { Module } from "./module.ts";

export interface NormOptions {
  /** Added to the variance; default 1e-5. */
  readonly eps?: number;
  /** Trainable scale and shift; PyTorch's defaults: false for instance norm, true for batch, group and layer norm. */
  readonly affine?: boolean;
}

/** Each channel of each sample to zero mean and unit variance, in training and evaluation alike. */
export class InstanceNorm extends Module {
  readonly weight: Tensor | undefined;
  readonly bias: Tensor | undefined;
  private readonly eps: number;

  constructor(device: Device, channels: number, options: NormOptions = {}) {
    super();
    this.eps = options.eps ?? 1e-5;
    if (options.affine ?? false) {
      this.weight = constantParameter(device, [channels], 1);
      this.bias = constantParameter(device, [channels], 0);
    }
  }

  forward(x: Tensor): Tensor {
    return instanceNorm(x, this.weight, this.bias, { eps: this.eps });
  }
}

/** Groups of channels of each sample to zero mean and unit variance. */
export class GroupNorm extends Module {
  readonly weight: Tensor | undefined;
  readonly bias: Tensor | undefined;
  private readonly groups: number;
  private readonly eps: number;

  constructor(device: Device, groups: number, channels: number, options: NormOptions = {}) {
    super();
    this.groups = groups;
    this.eps = options.eps ?? 1e-5;
    if (options.affine ?? true) {
      this.weight = constantParameter(device, [channels], 1);
      this.bias = constantParameter(device, [channels], 0);
    }
  }

  forward(x: Tensor): Tensor {
    return groupNorm(x, this.groups, this.weight, this.bias, { eps: this.eps });
  }
}

/** The trailing axes of each leading index to zero mean and unit variance. */
export class LayerNorm extends Module {
  readonly weight: Tensor | undefined;
  readonly bias: Tensor | undefined;
  private readonly shape: Shape;
  private readonly eps: number;

  constructor(device: Device, normalizedShape: number | Shape, options: NormOptions = {}) {
    super();
    this.shape = typeof normalizedShape === "number" ? [normalizedShape] : [...normalizedShape];
    this.eps = options.eps ?? 1e-5;
    if (options.affine ?? true) {
      this.weight = constantParameter(device, this.shape, 1);
      this.bias = constantParameter(device, this.shape, 0);
    }
  }

  forward(x: Tensor): Tensor {
    return layerNorm(x, this.shape, this.weight, this.bias, { eps: this.eps });
  }
}

/** Each channel by the statistics of the batch in training and by the running ones in evaluation. */
export class BatchNorm extends Module {
  readonly weight: Tensor | undefined;
  readonly bias: Tensor | undefined;
  readonly running_mean: Tensor;
  readonly running_var: Tensor;
  /** Counted by PyTorch's files; this layer uses a fixed momentum and leaves it alone. */
  readonly num_batches_tracked: Tensor;
  private readonly momentum: number;
  private readonly eps: number;

  constructor(device: Device, channels: number, options: NormOptions & { readonly momentum?: number } = {}) {
    super();
    this.eps = options.eps ?? 1e-5;
    this.momentum = options.momentum ?? 0.1;
    if (options.affine ?? true) {
      this.weight = constantParameter(device, [channels], 1);
      this.bias = constantParameter(device, [channels], 0);
    }
    this.running_mean = keep(device.tensor({ data: new Float32Array(channels), shape: [channels] }));
    this.running_var = keep(device.tensor({ data: new Float32Array(channels).fill(1), shape: [channels] }));
    this.num_batches_tracked = keep(device.tensor({ data: new Int32Array(1), shape: [] }, "i32"));
  }

  forward(x: Tensor): Tensor {
    const { weight, bias, running_mean, running_var, momentum, eps } = this;
    if (this.training) return batchNorm(x, weight, bias, { mean: running_mean, var: running_var, momentum }, { eps });
    const shape = [1, running_mean.size, ...x.shape.slice(2).map(() => 1)];
    const scale = reciprocal(sqrt(affine(running_var, 1, eps)));
    const factor = weight ? mul(scale, weight) : scale;
    const shift = mul(running_mean, affine(factor, -1));
    return add(mul(x, reshape(factor, shape)), reshape(bias ? add(shift, bias) : shift, shape));
  }
}

/** MONAI's names, with their options where they have any. */
export type NormSpec =
  | "INSTANCE"
  | "BATCH"
  | readonly ["INSTANCE", NormOptions]
  | readonly ["BATCH", NormOptions & { readonly momentum?: number }]
  | readonly ["GROUP", NormOptions & { readonly numGroups: number }];

/** The layer of a MONAI normalisation name, in any case. Throws `ConfigError` for an unknown one. */
export function normLayer(device: Device, spec: NormSpec, channels: number): Module {
  const [name, options] = (typeof spec === "string" ? [spec, {}] : spec) as [
    string,
    NormOptions & { readonly numGroups?: number },
  ];
  switch (name.toUpperCase()) {
    case "INSTANCE":
      return new InstanceNorm(device, channels, options);
    case "BATCH":
      return new BatchNorm(device, channels, options);
    case "GROUP":
      if (!options.numGroups) throw new ConfigError('norm "GROUP" needs numGroups');
      return new GroupNorm(device, options.numGroups, channels, options);
    default:
      throw new ConfigError(`unknown norm "${name}"; known are INSTANCE, BATCH and GROUP`);
  }
}
