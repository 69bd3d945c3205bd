/** @file Convolution layers for 1, 2 and 3 spatial axes. */

import { expectDevice } from "../../tensor/kind.ts";
import { expectArguments, expectFields } from "../../host/kinds.ts";
import { conv, convPlus, convTranspose } from "../../autograd/conv.ts";
import { expectConvWords } from "../../autograd/option_words.ts";
import type { ConvOptions, ConvTransposeOptions } from "../../kernels/conv/shape.ts";
import type { Device } from "../../tensor/device.ts";
import { ShapeError } from "../../host/errors.ts";
import { sizeOf } from "../../host/array.ts";
import { expectOptions } from "../../host/options.ts";
import { type Spatial, spatial } from "../../host/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { kaimingBound, uniformParameter } from "../init.ts";
import { expectImage, forwardsAs, Module } from "../module.ts";

/** What layers of both directions are told beside how to convolve. */
export interface ConvLayerBaseOptions {
  /** Number of spatial axes. */
  readonly spatialDims: 1 | 2 | 3;
  /** Channels of the input. */
  readonly inChannels: number;
  /** Channels of the output. */
  readonly outChannels: number;
  /** Elements of the kernel along each spatial axis, or one number for all. */
  readonly kernelSize: Spatial;
  /** Default true. */
  readonly bias?: boolean;
}

/** Options of `Conv`. */
export interface ConvLayerOptions extends ConvLayerBaseOptions, ConvOptions {}

/** Options of `ConvTranspose`. */
export interface ConvTransposeLayerOptions extends ConvLayerBaseOptions, ConvTransposeOptions {}

const convFields = {
  spatialDims: "number",
  inChannels: "number",
  outChannels: "number",
  kernelSize: "spread",
  groups: "number?",
} as const;

function channelsPerGroup(op: string, channels: number, groups = 1): number {
  const per = channels / groups;
  if (!Number.isInteger(per)) throw new ShapeError(`${op}: ${channels} channels do not split into ${groups} groups`);
  return per;
}

/** Weight and bias of a convolution in either direction, for whoever draws all of a network's weights anew. */
export abstract class ConvLayer extends Module {
  /** `[out, in / groups, kernel…]`, of a transposed convolution `[in, out / groups, kernel…]`. */
  readonly weight: Tensor;
  /** `[out]`; undefined without. */
  readonly bias: Tensor | undefined;

  /**
   * The weight is `[rows, columns / groups, taps…]`; as torch, this counts its axis 1 as fan-in in both directions.
   * @param op name for error messages
   * @param channels rows and columns of the weight
   */
  protected constructor(
    op: string,
    device: Device,
    options: ConvLayerBaseOptions & { readonly groups?: number },
    channels: readonly [rows: number, columns: number],
  ) {
    expectArguments("ConvLayer", "text", { op });
    expectDevice(op, device);
    expectArguments(op, "numbers", { channels });
    expectFields(op, "options", options, convFields);
    super();
    const [rows, columns] = channels;
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
  private readonly expected: readonly [spatialDims: 1 | 2 | 3, channels: number];
  private readonly options: ConvOptions;

  constructor(device: Device, options: ConvLayerOptions) {
    expectOptions(
      "Conv",
      options,
      "spatialDims:number! inChannels:number! outChannels:number! kernelSize:spread! bias:boolean padding paddingMode activation stride:spread dilation:spread groups:number",
    );
    expectDevice("Conv", device);
    super("Conv", device, options, [options.outChannels, options.inChannels]);
    const { spatialDims, inChannels, outChannels: _, kernelSize: __, bias: ___, ...rest } = options;
    expectConvWords("Conv", rest);
    this.expected = [spatialDims, inChannels];
    this.options = rest;
  }

  forward(x: Tensor): Tensor {
    expectImage("Conv", x, ...this.expected);
    return conv(x, this.weight, this.bias, this.options);
  }

  /** @internal */
  override forwardPlus(x: Tensor, residual: Tensor, next?: Module): Tensor {
    if (!forwardsAs(this, Conv)) return super.forwardPlus(x, residual, next);
    expectImage("Conv", x, ...this.expected);
    const sum = convPlus(x, this.weight, this.bias, residual, this.options);
    return next ? next.forward(sum) : sum;
  }
}

/**
 * A transposed convolution: `[N, in, …]` → `[N, out, …]`; weight `[in, out / groups, taps…]`, PyTorch's default initialization.
 * @throws ShapeError for channels that do not split into the groups, or an input of other axes or channels
 */
export class ConvTranspose extends ConvLayer {
  private readonly expected: readonly [spatialDims: 1 | 2 | 3, channels: number];
  private readonly options: ConvTransposeOptions;

  constructor(device: Device, options: ConvTransposeLayerOptions) {
    expectOptions(
      "ConvTranspose",
      options,
      "spatialDims:number! inChannels:number! outChannels:number! kernelSize:spread! bias:boolean padding outputPadding:spread stride:spread dilation:spread groups:number",
    );
    expectDevice("ConvTranspose", device);
    super("ConvTranspose", device, options, [options.inChannels, options.outChannels]);
    const { spatialDims, inChannels, outChannels: _, kernelSize: __, bias: ___, ...rest } = options;
    this.expected = [spatialDims, inChannels];
    this.options = rest;
  }

  forward(x: Tensor): Tensor {
    expectImage("ConvTranspose", x, ...this.expected);
    return convTranspose(x, this.weight, this.bias, this.options);
  }
}
