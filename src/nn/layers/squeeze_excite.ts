/**
 * @file Squeeze and excitation: channels (Hu et al. 2018), positions and both at once (Roy et al. 2018), with the options and state-dict names
 * of the package `squeeze_and_excitation`. For images of two spatial axes; the layers themselves do not mind how many there are.
 */

import { expectDevice } from "../../tensor/kind.ts";
import { globalAvgPool } from "../../autograd/pool.ts";
import { maximum, mul, relu, sigmoid } from "../../autograd/pointwise.ts";
import { reshape } from "../../autograd/view.ts";
import type { Device } from "../../tensor/device.ts";
import { ConfigError } from "../../host/errors.ts";
import { expectOptions } from "../../host/options.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { Conv } from "./conv.ts";
import { Linear } from "./linear.ts";
import { Module } from "../module.ts";

/** Options of `ChannelSE`, `ChannelSpatialSE`. */
export interface ChannelSEOptions {
  /** Of the input and the result. */
  readonly channels: number;
  /** Default 2. */
  readonly reductionRatio?: number;
}

/** Scales each channel of `[N, C, …]` by σ(fc2(relu(fc1(mean over positions)))); the layer between has ⌊C / reductionRatio⌋ features. */
export class ChannelSE extends Module {
  /** To ⌊C / reductionRatio⌋ features. */
  readonly fc1: Linear;
  /** Back to C features. */
  readonly fc2: Linear;

  constructor(device: Device, options: ChannelSEOptions) {
    expectOptions("ChannelSE", options, "channels:number! reductionRatio:number");
    expectDevice("ChannelSE", device);
    const { channels, reductionRatio = 2 } = options;
    super();
    const reduced = Math.floor(channels / reductionRatio);
    if (!(reduced >= 1)) {
      throw new ConfigError(`ChannelSE: ${channels} channels divided by reductionRatio ${reductionRatio} leave no feature`);
    }
    this.fc1 = new Linear(device, { inFeatures: channels, outFeatures: reduced });
    this.fc2 = new Linear(device, { inFeatures: reduced, outFeatures: channels });
  }

  forward(x: Tensor): Tensor {
    const squeezed = reshape(globalAvgPool(x), x.shape.slice(0, 2));
    const gate = sigmoid(this.fc2.forward(relu(this.fc1.forward(squeezed))));
    return mul(x, reshape(gate, [...gate.shape, ...x.shape.slice(2).map(() => 1)]));
  }
}

/** Options of `SpatialSE`, `ChannelSpatialSE`. */
export interface SpatialSEOptions {
  /** Of the input and the result. */
  readonly channels: number;
  /** Default 2. */
  readonly spatialDims?: 1 | 2 | 3;
}

/** Scales each position of `[N, C, …]` by σ of a 1×1 convolution to one channel. */
export class SpatialSE extends Module {
  /** 1×1 convolution to one channel. */
  readonly conv: Conv;

  constructor(device: Device, options: SpatialSEOptions) {
    expectOptions("SpatialSE", options, "channels:number! spatialDims:number");
    expectDevice("SpatialSE", device);
    const { channels, spatialDims = 2 } = options;
    super();
    this.conv = new Conv(device, { spatialDims, inChannels: channels, outChannels: 1, kernelSize: 1 });
  }

  forward(x: Tensor): Tensor {
    return mul(x, sigmoid(this.conv.forward(x)));
  }
}

/** The element-wise maximum of `ChannelSE` and `SpatialSE` (other libraries add the two). */
export class ChannelSpatialSE extends Module {
  /** Scales channels. */
  readonly cSE: ChannelSE;
  /** Scales positions. */
  readonly sSE: SpatialSE;

  constructor(device: Device, options: ChannelSEOptions & SpatialSEOptions) {
    expectOptions("ChannelSpatialSE", options, "channels:number! reductionRatio:number spatialDims:number");
    expectDevice("ChannelSpatialSE", device);
    super();
    const { channels, reductionRatio, spatialDims } = options;
    this.cSE = new ChannelSE(device, { channels, reductionRatio });
    this.sSE = new SpatialSE(device, { channels, spatialDims });
  }

  forward(x: Tensor): Tensor {
    return maximum(this.cSE.forward(x), this.sSE.forward(x));
  }
}

/** Which squeeze-and-excite layer a QuickNAT block has. */
export type SqueezeExciteSpec = "NONE" | "CSE" | "SSE" | "CSSE";

/**
 * The layer of a name, or undefined for "NONE". Throws `ConfigError` for another one.
 * @param channels length of the channel axis
 */
export function squeezeExcite(device: Device, spec: SqueezeExciteSpec, channels: number): Module | undefined {
  switch (spec) {
    case "NONE":
      return undefined;
    case "CSE":
      return new ChannelSE(device, { channels });
    case "SSE":
      return new SpatialSE(device, { channels });
    case "CSSE":
      return new ChannelSpatialSE(device, { channels });
    default:
      throw new ConfigError(`seBlock must be "NONE", "CSE", "SSE" or "CSSE", got ${JSON.stringify(spec)}`);
  }
}
