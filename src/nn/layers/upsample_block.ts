/** @file MONAI's upsampling block: transposed convolution, interpolation, or sub-pixel convolution. */

import { expectWord } from "../../host/words.ts";
import { expectDevice } from "../../tensor/kind.ts";
import type { InterpolateMode } from "../../autograd/interpolate.ts";
import { pad } from "../../autograd/pad.ts";
import { avgPool } from "../../autograd/pool.ts";
import { pixelShuffle } from "../../autograd/pixel_shuffle.ts";
import type { Device } from "../../tensor/device.ts";
import { ConfigError, ShapeError } from "../../host/errors.ts";
import { expectOptions } from "../../host/options.ts";
import { type Spatial, spatial } from "../../host/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { Conv, ConvTranspose } from "./conv.ts";
import { icnrInit } from "../init.ts";
import { Identity, Module, Sequential } from "../module.ts";
import { Upsample } from "./upsample.ts";

/** How `UpsampleBlock` enlarges, by the names of MONAI. */
export type UpsampleMode = "deconv" | "deconvgroup" | "nontrainable" | "pixelshuffle";

/** Options of `UpsampleBlock`. */
export interface UpsampleBlockOptions {
  /** Number of spatial axes. */
  readonly spatialDims: 1 | 2 | 3;
  /** Needed wherever there is a convolution. */
  readonly inChannels?: number;
  /** Default `inChannels`. */
  readonly outChannels?: number;
  /** Default 2; one number for sub-pixel convolution. */
  readonly scaleFactor?: Spatial;
  /** Of the transposed convolutions; default `scaleFactor`. */
  readonly kernelSize?: Spatial;
  /** Size of the result, instead of `scaleFactor`; "nontrainable" only. */
  readonly size?: Spatial;
  /** Default "deconv"; "deconvgroup" has one group per output channel if their number divides `inChannels`. */
  readonly mode?: UpsampleMode;
  /**
   * "default", another module, or null for none. Before the interpolation the default is a convolution of kernel 1 where channels change (and, as in
   * MONAI, where `outChannels` is not given); before the pixel shuffle one of kernel 3.
   */
  readonly preConv?: "default" | Module | null;
  /** After the interpolation; default none. */
  readonly postConv?: Module;
  /** Default "linear": linear, bilinear or trilinear by `spatialDims`. */
  readonly interpMode?: InterpolateMode;
  /** Of the linear and cubic modes; default true. */
  readonly alignCorners?: boolean;
  /** Of the convolutions made here; default true. */
  readonly bias?: boolean;
  /** Sub-pixel convolution: average over `scaleFactor` neighbors, against checkerboards; default true. */
  readonly applyPadPool?: boolean;
}

const linearModes = ["linear", "bilinear", "trilinear"] as const;

/**
 * MONAI's `UpSample`: `[N, in, size…]` → `[N, out, size·scaleFactor…]`. Its one part is named by the mode: `deconv`, `deconvgroup`,
 * `preconv` and `upsample_non_trainable`, or `pixelshuffle`.
 * @throws ConfigError, ShapeError
 */
export class UpsampleBlock extends Sequential {
  constructor(device: Device, options: UpsampleBlockOptions) {
    expectOptions(
      "UpsampleBlock",
      options,
      "spatialDims:number! inChannels:number outChannels:number scaleFactor:spread kernelSize:spread size:spread mode:text preConv postConv interpMode:text alignCorners:boolean bias:boolean applyPadPool:boolean",
    );
    expectDevice("UpsampleBlock", device);
    super(parts(device, options));
  }
}

function parts(device: Device, options: UpsampleBlockOptions): Record<string, Module> {
  const { spatialDims, mode = "deconv", size, postConv } = options;
  const factor = spatial("UpsampleBlock", "scaleFactor", options.scaleFactor ?? 2, spatialDims, 1);
  switch (mode) {
    case "deconv":
    case "deconvgroup":
      return { [mode]: transposed(device, options, factor) };
    case "nontrainable": {
      const { interpMode = "linear" } = options;
      const aligned = interpMode === "bicubic" || interpMode.endsWith("linear");
      const linear = linearModes.some((m) => m === interpMode);
      return {
        ...preConvolution(device, options),
        upsample_non_trainable: new Upsample({
          ...(size === undefined ? { scaleFactor: factor } : { size }),
          mode: linear ? linearModes[spatialDims - 1] : interpMode,
          alignCorners: options.alignCorners ?? (aligned ? true : undefined),
        }),
        ...(postConv ? { postconv: postConv } : {}),
      };
    }
    case "pixelshuffle": {
      const { inChannels, outChannels, bias, applyPadPool, preConv: convBlock } = options;
      const shared = { spatialDims, inChannels, outChannels, bias, applyPadPool };
      return { pixelshuffle: new SubpixelUpsample(device, { ...shared, scaleFactor: factor[0], convBlock }) };
    }
    default:
      throw new ConfigError(
        `UpsampleBlock: unknown mode "${String(mode)}"; known are deconv, deconvgroup, nontrainable and pixelshuffle`,
      );
  }
}

function channels(op: string, { inChannels, outChannels = inChannels }: UpsampleBlockOptions): [number, number] {
  if (!inChannels || !outChannels) throw new ConfigError(`${op}: inChannels must be given where there is a convolution`);
  return [inChannels, outChannels];
}

function transposed(device: Device, options: UpsampleBlockOptions, stride: readonly number[]): Module {
  const { spatialDims, kernelSize, bias } = options;
  const [inChannels, outChannels] = channels("UpsampleBlock", options);
  const taps = kernelSize === undefined ? stride : spatial("UpsampleBlock", "kernelSize", kernelSize, spatialDims, 1);
  const grouped = options.mode === "deconvgroup" && inChannels % outChannels === 0;
  return new ConvTranspose(device, {
    spatialDims,
    inChannels,
    outChannels,
    kernelSize: taps,
    stride,
    padding: kernelSize === undefined ? 0 : taps.map((k) => Math.floor((k - 1) / 2)),
    outputPadding: kernelSize === undefined ? 0 : taps.map((k, i) => stride[i] - 1 - ((k - 1) % 2)),
    groups: grouped ? outChannels : 1,
    bias,
  });
}

function preConvolution(device: Device, options: UpsampleBlockOptions): Record<string, Module> {
  const { spatialDims, inChannels, outChannels, preConv = "default", bias } = options;
  if (preConv instanceof Module) return { preconv: preConv };
  if (preConv !== null) expectWord("UpsampleBlock", "preConv", preConv, ["default"]);
  if (inChannels === outChannels) return {};
  if (preConv === null) throw new ConfigError("UpsampleBlock: without preConv, outChannels must equal inChannels");
  const [from, to] = channels("UpsampleBlock", options);
  return { preconv: new Conv(device, { spatialDims, inChannels: from, outChannels: to, kernelSize: 1, bias }) };
}

/** Options of `SubpixelUpsample`. */
export interface SubpixelUpsampleOptions extends Pick<
  UpsampleBlockOptions,
  "spatialDims" | "inChannels" | "outChannels" | "applyPadPool" | "bias"
> {
  /** Default 2. */
  readonly scaleFactor?: number;
  /** "default" (a convolution of kernel 3 to `outChannels`·factorᵈ), another module that ends in a multiple of factorᵈ channels, or null. */
  readonly convBlock?: "default" | Module | null;
}

/**
 * Sub-pixel convolution (Shi et al. 2016), by default averaged against checkerboards and started as nearest-neighbor upsampling (Aitken et
 * al. 2017): `[N, in, size…]` → `[N, out, size·scaleFactor…]`.
 * @throws ConfigError, ShapeError
 */
export class SubpixelUpsample extends Module {
  /** Makes the channels that become positions. */
  readonly conv_block: Module;
  private readonly factor: number;
  private readonly average: boolean;

  constructor(device: Device, options: SubpixelUpsampleOptions) {
    expectOptions(
      "SubpixelUpsample",
      options,
      "scaleFactor:number convBlock spatialDims:number! inChannels:number outChannels:number bias:boolean applyPadPool:boolean",
    );
    expectDevice("SubpixelUpsample", device);
    super();
    const { spatialDims, scaleFactor = 2, convBlock = "default", applyPadPool = true, bias } = options;
    if (!Number.isInteger(scaleFactor) || scaleFactor < 1)
      throw new ShapeError(`SubpixelUpsample: scaleFactor must be a positive integer, got ${scaleFactor}`);
    this.factor = scaleFactor;
    this.average = applyPadPool;
    if (convBlock === "default") {
      const [inChannels, out] = channels("SubpixelUpsample", options as UpsampleBlockOptions);
      const outChannels = out * scaleFactor ** spatialDims;
      const conv = new Conv(device, { spatialDims, inChannels, outChannels, kernelSize: 3, padding: 1, bias });
      icnrInit(conv.weight, scaleFactor);
      this.conv_block = conv;
    } else {
      if (convBlock && !(convBlock instanceof Module)) expectWord("SubpixelUpsample", "convBlock", convBlock, ["default"]);
      this.conv_block = convBlock ?? new Identity();
    }
  }

  forward(x: Tensor): Tensor {
    const { factor } = this;
    const y = pixelShuffle(this.conv_block.forward(x), factor);
    if (!this.average) return y;
    const margins = y.shape.slice(2).flatMap(() => [factor - 1, 0]);
    return avgPool(pad(y, margins), { kernelSize: factor, stride: 1 });
  }
}
