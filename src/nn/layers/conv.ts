/** @file Convolution layers for 1, 2 and 3 spatial axes. */

import { conv, convTranspose } from "../../autograd/conv.ts";
import type { ConvOptions, Padding } from "../../kernels/conv/shape.ts";
import type { Device } from "../../tensor/device.ts";
import { ShapeError } from "../../host/errors.ts";
import { sizeOf } from "../../host/array.ts";
import { type Spatial, spatial } from "../../host/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { kaimingBound, uniformParameter } from "../init.ts";
import { expectImage, Module } from "../module.ts";

interface CommonOptions {
  readonly spatialDims: 1 | 2 | 3;
  readonly inChannels: number;
  readonly outChannels: number;
  readonly kernelSize: Spatial;
  /** Default 1. */
  readonly stride?: Spatial;
  /** Default 1. */
  readonly dilation?: Spatial;
  /** Parts that the channels split into, each convolved on its own: `inChannels` of them is a depthwise convolution; default 1. */
  readonly groups?: number;
  /** Default true. */
  readonly bias?: boolean;
}

export interface ConvLayerOptions extends CommonOptions {
  /** "same" keeps the size (stride 1 only), "valid" is 0; default 0. */
  readonly padding?: Padding | "same" | "valid";
  /** What is padded; default "zeros". */
  readonly paddingMode?: ConvOptions["paddingMode"];
}

export interface ConvTransposeLayerOptions extends CommonOptions {
  /** Default 0. */
  readonly padding?: Padding;
  /** Default 0. */
  readonly outputPadding?: Spatial;
}

function channelsPerGroup(op: string, channels: number, groups = 1): number {
  const per = channels / groups;
  if (!Number.isInteger(per)) throw new ShapeError(`${op}: ${channels} channels do not split into ${groups} groups`);
  return per;
}

/** `[N, in, …]` → `[N, out, …]`; weight `[out, in / groups, taps…]`, PyTorch's default initialisation. */
export class Conv extends Module {
  readonly weight: Tensor;
  readonly bias: Tensor | undefined;
  private readonly options: ConvLayerOptions;

  constructor(device: Device, options: ConvLayerOptions) {
    super();
    this.options = options;
    const { spatialDims, inChannels, outChannels } = options;
    const taps = spatial("Conv", "kernelSize", options.kernelSize, spatialDims, 1);
    const inGroup = channelsPerGroup("Conv", inChannels, options.groups);
    channelsPerGroup("Conv", outChannels, options.groups);
    const fanIn = inGroup * sizeOf(taps);
    this.weight = uniformParameter(device, [outChannels, inGroup, ...taps], kaimingBound(fanIn));
    this.bias = (options.bias ?? true) ? uniformParameter(device, [outChannels], 1 / Math.sqrt(fanIn)) : undefined;
  }

  forward(x: Tensor): Tensor {
    expectImage("Conv", x, this.options.spatialDims, this.options.inChannels);
    return conv(x, this.weight, this.bias, this.options);
  }
}

/** `[N, in, …]` → `[N, out, …]`; weight `[in, out / groups, taps…]`, PyTorch's default initialisation. */
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
    const outGroup = channelsPerGroup("ConvTranspose", outChannels, options.groups);
    channelsPerGroup("ConvTranspose", inChannels, options.groups);
    const fanIn = outGroup * sizeOf(taps);
    this.weight = uniformParameter(device, [inChannels, outGroup, ...taps], kaimingBound(fanIn));
    this.bias = (options.bias ?? true) ? uniformParameter(device, [outChannels], 1 / Math.sqrt(fanIn)) : undefined;
  }

  forward(x: Tensor): Tensor {
    expectImage("ConvTranspose", x, this.options.spatialDims, this.options.inChannels);
    return convTranspose(x, this.weight, this.bias, this.options);
  }
}
