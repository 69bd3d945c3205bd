/** @file Normalization layers and their MONAI names. */

import { expectDevice } from "../../tensor/kind.ts";
import { expectArguments } from "../../host/kinds.ts";
import { batchNorm, fixedBatchNorm, groupNorm, instanceNorm, layerNorm, type NormCallOptions } from "../../autograd/norm.ts";
import { pad } from "../../autograd/pad.ts";
import { affine, div, pow, square } from "../../autograd/pointwise.ts";
import { avgPool } from "../../autograd/pool.ts";
import { reshape } from "../../autograd/view.ts";
import type { Device } from "../../tensor/device.ts";
import { ConfigError } from "../../host/errors.ts";
import { sizeOf } from "../../host/array.ts";
import { keep } from "../../tensor/scope.ts";
import { expectNames, expectOptions } from "../../host/options.ts";
import type { Shape } from "../../host/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { asPartOfNorm } from "./activation.ts";
import { constantParameter } from "../init.ts";
import { type AnyCase, named } from "./named.ts";
import { forwardsAs, Module } from "../module.ts";

/** Options of `InstanceNorm`, `LayerNorm`. */
export interface NormOptions {
  /** Added to the variance; default 1e-5. */
  readonly eps?: number;
  /** Trainable scale and shift; PyTorch's defaults: false for instance norm, true for batch, group and layer norm. */
  readonly affine?: boolean;
}

const normNames = "eps:number affine:boolean";

type More = Pick<NormCallOptions, "activation" | "residual">;

/** What norms over channels share: scale and shift `[C]`, and that they do the work of some activations behind them. */
export abstract class ChannelNorm extends Module {
  /** Scale of each channel, `[C]`; undefined without. */
  abstract readonly weight: Tensor | undefined;
  /** Shift of each channel, `[C]`; undefined without. */
  abstract readonly bias: Tensor | undefined;

  /** With what is to be done in the same pass. @internal */
  protected abstract normalize(x: Tensor, more?: More): Tensor;

  forward(x: Tensor): Tensor {
    return this.normalize(x);
  }

  /** @internal */
  override forwardWith(x: Tensor, next: Module, residual?: Tensor): Tensor | undefined {
    const activation = forwardsAs(this, ChannelNorm) ? asPartOfNorm(next) : undefined;
    return activation && this.normalize(x, { activation, residual: residual && { behind: residual } });
  }

  /** @internal */
  override forwardPlus(x: Tensor, residual: Tensor, next?: Module): Tensor {
    const activation = next && asPartOfNorm(next);
    if (!forwardsAs(this, ChannelNorm) || (next && !activation)) return super.forwardPlus(x, residual, next);
    return this.normalize(x, { activation, residual: { before: residual } });
  }
}

/**
 * Instance normalization (Ulyanov et al. 2016) of `[N, channels, spatial…]`: each channel of each sample to zero mean and unit variance, in training and
 * evaluation alike. State dict: `weight` and `bias`, `[channels]`, if affine. `forward` throws `ShapeError` for one
 * spatial element and, if affine, for other channels.
 */
export class InstanceNorm extends ChannelNorm {
  readonly weight: Tensor | undefined;
  readonly bias: Tensor | undefined;
  private readonly eps: number;

  constructor(device: Device, channels: number, options: NormOptions = {}) {
    expectOptions("InstanceNorm", options, normNames);
    expectDevice("InstanceNorm", device);
    expectArguments("InstanceNorm", "number", { channels });
    super();
    this.eps = options.eps ?? 1e-5;
    if (options.affine ?? false) {
      this.weight = constantParameter(device, [channels], 1);
      this.bias = constantParameter(device, [channels], 0);
    }
  }

  /** @internal */
  protected normalize(x: Tensor, more?: More): Tensor {
    return instanceNorm(x, this.weight, this.bias, { eps: this.eps, ...more });
  }
}

/** Options of `GroupNorm`. */
export interface GroupNormOptions extends NormOptions {
  /** Parts that the channels split into. */
  readonly numGroups: number;
  /** Length of the channel axis, a multiple of `numGroups`. */
  readonly channels: number;
}

/**
 * Group normalization (Wu and He 2018) of `[N, channels, spatial…]`: groups of channels of each sample to zero mean and unit variance. State dict:
 * `weight` and `bias`, `[channels]`, unless affine is off. `forward` throws `ShapeError` for channels that do not split into the groups and, if affine, for
 * others.
 */
export class GroupNorm extends ChannelNorm {
  readonly weight: Tensor | undefined;
  readonly bias: Tensor | undefined;
  private readonly groups: number;
  private readonly eps: number;

  constructor(device: Device, options: GroupNormOptions) {
    expectOptions("GroupNorm", options, "numGroups:number! channels:number! eps:number affine:boolean");
    expectDevice("GroupNorm", device);
    const { numGroups, channels, eps = 1e-5, affine = true } = options;
    super();
    this.groups = numGroups;
    this.eps = eps;
    if (affine) {
      this.weight = constantParameter(device, [channels], 1);
      this.bias = constantParameter(device, [channels], 0);
    }
  }

  /** @internal */
  protected normalize(x: Tensor, more?: More): Tensor {
    return groupNorm(x, this.groups, this.weight, this.bias, { eps: this.eps, ...more });
  }
}

/**
 * Layer normalization (Ba et al. 2016) of `[…, normalizedShape…]`: the trailing axes of each leading index to zero mean and unit variance. State dict:
 * `weight` and `bias` of `normalizedShape`, unless affine is off. `forward` throws `ShapeError` for other trailing axes.
 */
export class LayerNorm extends Module {
  /** Scale, of shape `normalizedShape`; undefined without. */
  readonly weight: Tensor | undefined;
  /** Shift, of shape `normalizedShape`; undefined without. */
  readonly bias: Tensor | undefined;
  private readonly shape: Shape;
  private readonly eps: number;

  constructor(device: Device, normalizedShape: number | Shape, options: NormOptions = {}) {
    expectOptions("LayerNorm", options, normNames);
    expectDevice("LayerNorm", device);
    expectArguments("LayerNorm", "spread", { normalizedShape });
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

/** Options of `BatchNorm`. */
export interface BatchNormOptions extends NormOptions {
  /** Share of the new batch in the running statistics; default 0.1. */
  readonly momentum?: number;
  /** Keep running statistics and use them in evaluation; default true. Without, the batch's own are used in evaluation too. */
  readonly trackRunningStats?: boolean;
}

/**
 * Batch normalization (Ioffe and Szegedy 2015) of `[N, channels, spatial…]`: each channel by the statistics of the batch in training and by the running ones
 * in evaluation. State dict: `weight`, `bias`, `running_mean`, `running_var`, all `[channels]`, and `num_batches_tracked`. `forward` throws
 * `ShapeError` for other channels, and in training for a single value per channel.
 */
export class BatchNorm extends ChannelNorm {
  readonly weight: Tensor | undefined;
  readonly bias: Tensor | undefined;
  /** Mean of each channel for evaluation, `[C]`. */
  readonly running_mean: Tensor | undefined;
  /** Variance of each channel for evaluation, `[C]`. */
  readonly running_var: Tensor | undefined;
  /** Counted by PyTorch's files; this layer uses a fixed momentum and leaves it alone. */
  readonly num_batches_tracked: Tensor | undefined;
  private readonly momentum: number;
  private readonly eps: number;

  constructor(device: Device, channels: number, options: BatchNormOptions = {}) {
    expectOptions("BatchNorm", options, "momentum:number trackRunningStats:boolean eps:number affine:boolean");
    expectDevice("BatchNorm", device);
    expectArguments("BatchNorm", "number", { channels });
    super();
    this.eps = options.eps ?? 1e-5;
    this.momentum = options.momentum ?? 0.1;
    if (options.affine ?? true) {
      this.weight = constantParameter(device, [channels], 1);
      this.bias = constantParameter(device, [channels], 0);
    }
    if (!(options.trackRunningStats ?? true)) return;
    this.running_mean = keep(device.tensor({ data: new Float32Array(channels), shape: [channels] }));
    this.running_var = keep(device.tensor({ data: new Float32Array(channels).fill(1), shape: [channels] }));
    this.num_batches_tracked = keep(device.tensor({ data: new Int32Array(1), shape: [] }, "i32"));
  }

  /** @internal */
  protected normalize(x: Tensor, more?: More): Tensor {
    const { weight, bias, running_mean, running_var, momentum, eps } = this;
    const options = { eps, ...more };
    if (!running_mean || !running_var) return batchNorm(x, weight, bias, undefined, options);
    if (this.training) return batchNorm(x, weight, bias, { mean: running_mean, var: running_var, momentum }, options);
    return fixedBatchNorm(x, weight, bias, running_mean, running_var, options);
  }
}

/** Options of `LocalResponseNorm`. */
export interface LocalResponseNormOptions {
  /** Channels that an element is compared with, its own among them. */
  readonly size: number;
  /** Default 1e-4. */
  readonly alpha?: number;
  /** Default 0.75. */
  readonly beta?: number;
  /** Default 1. */
  readonly k?: number;
}

/** `[N, C, spatial…]` → x / (k + alpha · mean of x² over `size` neighboring channels)^beta (Krizhevsky et al. 2012). It has no state. */
export class LocalResponseNorm extends Module {
  private readonly options: LocalResponseNormOptions;

  constructor(options: LocalResponseNormOptions) {
    expectOptions("LocalResponseNorm", options, "size:number! alpha:number beta:number k:number");
    super();
    this.options = options;
  }

  forward(x: Tensor): Tensor {
    const { size, alpha = 1e-4, beta = 0.75, k = 1 } = this.options;
    const [n, channels, ...space] = x.shape;
    const planes = reshape(square(x), [n, 1, channels, sizeOf(space)]);
    const wide = pad(planes, [0, 0, Math.floor(size / 2), Math.floor((size - 1) / 2)]);
    const mean = reshape(avgPool(wide, { kernelSize: [size, 1], stride: 1 }), x.shape);
    return div(x, pow(affine(mean, alpha, k), beta));
  }
}

/** A layer norm with its options, where a network takes norms by name. */
export interface LayerNormSpec {
  /** The trailing axes. */
  readonly normalizedShape: number | Shape;
  /** Added to the variance; default 1e-5. */
  readonly eps?: number;
  /** Trainable scale and shift; default true. */
  readonly elementwiseAffine?: boolean;
}

/** MONAI's names, with their options where they have any. */
export type NormSpec =
  | AnyCase<"INSTANCE" | "INSTANCE_NVFUSER" | "BATCH" | "SYNCBATCH">
  | readonly [AnyCase<"INSTANCE" | "INSTANCE_NVFUSER">, NormOptions]
  | readonly [AnyCase<"BATCH" | "SYNCBATCH">, BatchNormOptions]
  | readonly [AnyCase<"GROUP">, Omit<GroupNormOptions, "channels">]
  | readonly [AnyCase<"LAYER">, LayerNormSpec]
  | readonly [AnyCase<"LOCALRESPONSE">, LocalResponseNormOptions];

type AnyOptions = Partial<BatchNormOptions & LayerNormSpec & LocalResponseNormOptions & { readonly numGroups: number }>;

const withoutStatistics = ({ trackRunningStats: _, ...options }: AnyOptions): NormOptions => options;

/**
 * The layer of a MONAI normalization name, in any case. "SYNCBATCH" and "INSTANCE_NVFUSER" are batch and instance norm: there is one device, and
 * one implementation. Throws `ConfigError` for an unknown name, a missing option, or instance norm with running statistics.
 * @param channels length of the channel axis
 */
export function normLayer(device: Device, spec: NormSpec, channels: number): Module {
  expectDevice("normLayer", device);
  const [name, options] = named("norm", spec) as [string, AnyOptions];
  const required = <K extends keyof AnyOptions>(key: K): NonNullable<AnyOptions[K]> => {
    const value = options[key];
    if (value === undefined) throw new ConfigError(`norm "${name}" needs ${key}`);
    return value;
  };
  switch (name.toUpperCase()) {
    case "INSTANCE":
    case "INSTANCE_NVFUSER":
      if (options.trackRunningStats) throw new ConfigError(`norm "${name}" with trackRunningStats is not available`);
      return new InstanceNorm(device, channels, withoutStatistics(options));
    case "BATCH":
    case "SYNCBATCH":
      return new BatchNorm(device, channels, options);
    case "GROUP":
      return new GroupNorm(device, { ...options, numGroups: required("numGroups"), channels });
    case "LAYER":
      expectNames(`norm "${name}"`, options, "normalizedShape eps elementwiseAffine");
      return new LayerNorm(device, required("normalizedShape"), { eps: options.eps, affine: options.elementwiseAffine });
    case "LOCALRESPONSE":
      return new LocalResponseNorm({ ...options, size: required("size") });
    default:
      throw new ConfigError(`unknown norm "${name}"; known are INSTANCE, BATCH, GROUP, LAYER and LOCALRESPONSE`);
  }
}
