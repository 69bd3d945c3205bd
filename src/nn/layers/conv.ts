/** @file Convolution layers for 1, 2 and 3 spatial axes. */

import { conv, convTranspose } from "../../autograd/conv.ts";
import type { ConvOptions, ConvTransposeOptions } from "../../kernels/conv/shape.ts";
import type { Device } from "../../tensor/device.ts";
import { ShapeError } from "../../host/errors.ts";
import { sizeOf } from "../../host/array.ts";
import { type Spatial, spatial } from "../../host/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { kaimingBound, uniformParameter } from "../init.ts";
import { expectImage, Module } from "../module.ts";

/** What layers of both directions are told beside how to convolve. */
export interface ConvLayerBaseOptions {
  readonly spatialDims: 1 | 2 | 3;
  readonly inChannels: number;
  readonly outChannels: number;
  readonly kernelSize: Spatial;
  /** Default true. */
  readonly bias?: boolean;
}

export interface ConvLayerOptions extends ConvLayerBaseOptions, ConvOptions {}

export interface ConvTransposeLayerOptions extends ConvLayerBaseOptions, ConvTransposeOptions {}

function channelsPerGroup(op: string, channels: number, groups = 1): number {
  const per = channels / groups;
  if (!Number.isInteger(per)) throw new ShapeError(`${op}: ${channels} channels do not split into ${groups} groups`);
  return per;
}

/** Weight and bias of a convolution in either direction, for whoever draws all of a network's weights anew. */
export abstract class ConvLayer extends Module {
  readonly weight: Tensor;
  readonly bias: Tensor | undefined;

  /** The weight is `[rows, columns / groups, taps…]`; as torch, this counts its axis 1 as fan-in in both directions. */
  protected constructor(
    op: string,
    device: Device,
    options: ConvLayerBaseOptions & { readonly groups?: number },
    [rows, columns]: readonly [number, number],
  ) {
    super();
    const { spatialDims, outChannels, groups } = options;
    const taps = spatial(op, "kernelSize", options.kernelSize, spatialDims, 1);
    const inGroup = channelsPerGroup(op, columns, groups);
    channelsPerGroup(op, rows, groups);
    const fanIn = inGroup * sizeOf(taps);
    this.weight = uniformParameter(device, [rows, inGroup, ...taps], kaimingBound(fanIn));
    this.bias = (options.bias ?? true) ? uniformParameter(device, [outChannels], 1 / Math.sqrt(fanIn)) : undefined;
  }
}

/**
 * A convolution: `[N, in, …]` → `[N, out, …]`; weight `[out, in / groups, taps…]`, PyTorch's default initialization.
 * @throws ShapeError for channels that do not split into the groups, or an input of other axes or channels
 */
export class Conv extends ConvLayer {
  private readonly options: ConvLayerOptions;

  constructor(device: Device, options: ConvLayerOptions) {
    super("Conv", device, options, [options.outChannels, options.inChannels]);
    this.options = options;
  }

  forward(x: Tensor): Tensor {
    expectImage("Conv", x, this.options.spatialDims, this.options.inChannels);
    return conv(x, this.weight, this.bias, this.options);
  }
}

/**
 * A transposed convolution: `[N, in, …]` → `[N, out, …]`; weight `[in, out / groups, taps…]`, PyTorch's default initialization.
 * @throws ShapeError for channels that do not split into the groups, or an input of other axes or channels
 */
export class ConvTranspose extends ConvLayer {
  private readonly options: ConvTransposeLayerOptions;

  constructor(device: Device, options: ConvTransposeLayerOptions) {
    super("ConvTranspose", device, options, [options.inChannels, options.outChannels]);
    this.options = options;
  }

  forward(x: Tensor): Tensor {
    expectImage("ConvTranspose", x, this.options.spatialDims, this.options.inChannels);
    return convTranspose(x, this.weight, this.bias, this.options);
  }
}
