/** @file Convolution layers for 1, 2 and 3 spatial axes. */

import { conv, convTranspose } from "../autograd/conv.ts";
import type { Device } from "../tensor/device.ts";
import { sizeOf } from "../tensor/host.ts";
import { type Spatial, spatial } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { kaimingBound, uniformParameter } from "./init.ts";
import { expectImage, Module } from "./module.ts";

export interface ConvLayerOptions {
  readonly spatialDims: 1 | 2 | 3;
  readonly inChannels: number;
  readonly outChannels: number;
  readonly kernelSize: Spatial;
  /** Default 1. */
  readonly stride?: Spatial;
  /** Default 0. */
  readonly padding?: Spatial;
  /** Default 1. */
  readonly dilation?: Spatial;
  /** Default true. */
  readonly bias?: boolean;
}

export interface ConvTransposeLayerOptions extends ConvLayerOptions {
  /** Default 0. */
  readonly outputPadding?: Spatial;
}

/** `[N, in, …]` → `[N, out, …]`; weight `[out, in, taps…]`, PyTorch's default initialisation. */
export class Conv extends Module {
  readonly weight: Tensor;
  readonly bias: Tensor | undefined;
  private readonly options: ConvLayerOptions;

  constructor(device: Device, options: ConvLayerOptions) {
    super();
    this.options = options;
    const { spatialDims, inChannels, outChannels } = options;
    const taps = spatial("Conv", "kernelSize", options.kernelSize, spatialDims, 1);
    const fanIn = inChannels * sizeOf(taps);
    this.weight = uniformParameter(device, [outChannels, inChannels, ...taps], kaimingBound(fanIn));
    this.bias = (options.bias ?? true) ? uniformParameter(device, [outChannels], 1 / Math.sqrt(fanIn)) : undefined;
  }

  forward(x: Tensor): Tensor {
    expectImage("Conv", x, this.options.spatialDims, this.options.inChannels);
    return conv(x, this.weight, this.bias, this.options);
  }
}

/** `[N, in, …]` → `[N, out, …]`; weight `[in, out, taps…]`, PyTorch's default initialisation. */
export class ConvTranspose extends Module {
  readonly weight: Tensor;
  readonly bias: Tensor | undefined;
  private readonly options: ConvTransposeLayerOptions;

  constructor(device: Device, options: ConvTransposeLayerOptions) {
    super();
    this.options = options;
    const { spatialDims, inChannels, outChannels } = options;
    const taps = spatial("ConvTranspose", "kernelSize", options.kernelSize, spatialDims, 1);
    // torch counts axis 1 of the weight as fan-in for the transposed layer too.
    const fanIn = outChannels * sizeOf(taps);
    this.weight = uniformParameter(device, [inChannels, outChannels, ...taps], kaimingBound(fanIn));
    this.bias = (options.bias ?? true) ? uniformParameter(device, [outChannels], 1 / Math.sqrt(fanIn)) : undefined;
  }

  forward(x: Tensor): Tensor {
    expectImage("ConvTranspose", x, this.options.spatialDims, this.options.inChannels);
    return convTranspose(x, this.weight, this.bias, this.options);
  }
}
