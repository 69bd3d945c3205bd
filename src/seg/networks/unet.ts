/** @file MONAI's UNet (Kerfoot et al. 2018): an encoder and decoder of strided convolutions or residual units with concatenating skips. */

import { expectDevice } from "../../tensor/kind.ts";
import { concat } from "../../autograd/view.ts";
import { type AdnOptions, Convolution, ResidualUnit } from "../../nn/layers/blocks.ts";
import { expectImage, Module, Sequential } from "../../nn/module.ts";
import type { Device } from "../../tensor/device.ts";
import { ShapeError } from "../../host/errors.ts";
import { expectOptions } from "../../host/options.ts";
import { type Spatial, showShape, spatial } from "../../host/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { expectMultiples, expectSpatialDims, strideProducts } from "./checks.ts";

/** Options of `UNet`. */
export interface UNetOptions extends AdnOptions {
  /** Number of spatial axes. */
  readonly spatialDims: 1 | 2 | 3;
  /** Channels of the image. */
  readonly inChannels: number;
  /** Channels of the output: classes. */
  readonly outChannels: number;
  /** Channels of each level, top first; at least two. */
  readonly channels: readonly number[];
  /** Stride of each level but the last; surplus entries are ignored, as in MONAI. */
  readonly strides: readonly Spatial[];
  /** Odd; default 3. */
  readonly kernelSize?: Spatial;
  /** Odd; default 3. */
  readonly upKernelSize?: Spatial;
  /** Convolutions per residual unit; 0, the default, uses plain convolutions. */
  readonly numResUnits?: number;
  /** Default true. */
  readonly bias?: boolean;
}

/** Concatenates its input and what its submodule makes of it. */
class SkipConnection extends Module {
  readonly submodule: Module;

  constructor(submodule: Module) {
    super();
    this.submodule = submodule;
  }

  forward(x: Tensor): Tensor {
    return concat([x, this.submodule.forward(x)], 1);
  }
}

/**
 * `[N, in, …]` → `[N, out, …]` logits. State-dict names are MONAI's (`model.0.conv.unit0.conv.weight` …), and with the same seed so are
 * the initial weights. The sizes below the first stride must be multiples of the product of the other strides.
 * @throws ConfigError for unknown activations or norms, ShapeError for channels, strides or kernels that do not fit
 */
export class UNet extends Module {
  /** All of it, under MONAI's name. */
  readonly model: Sequential;
  private readonly options: UNetOptions;

  constructor(device: Device, options: UNetOptions) {
    expectOptions(
      "UNet",
      options,
      "spatialDims:number! inChannels:number! outChannels:number! channels:numbers! strides:list! kernelSize:spread upKernelSize:spread numResUnits:number bias:boolean act norm dropout adnOrdering",
    );
    expectDevice("UNet", device);
    super();
    const { channels, strides, spatialDims } = options;
    expectSpatialDims("UNet", spatialDims);
    if (channels.length < 2) throw new ShapeError(`UNet: channels needs at least 2 levels, got ${showShape(channels)}`);
    if (strides.length < channels.length - 1) {
      throw new ShapeError(`UNet: ${channels.length} levels need ${channels.length - 1} strides, got ${strides.length}`);
    }
    this.options = options;
    this.model = this.block(device, options.inChannels, options.outChannels, channels, strides, true);
  }

  // The inner block is made first, as in MONAI, so that equal seeds draw equal weights.
  private block(
    device: Device,
    inChannels: number,
    outChannels: number,
    channels: readonly number[],
    strides: readonly Spatial[],
    top: boolean,
  ): Sequential {
    const [c, next] = channels;
    const bottom = channels.length === 2;
    const inner = bottom ? this.down(device, c, next, 1) : this.block(device, c, c, channels.slice(1), strides.slice(1), false);
    const down = this.down(device, inChannels, c, strides[0]);
    const up = this.up(device, bottom ? c + next : 2 * c, outChannels, strides[0], top);
    return new Sequential([down, new SkipConnection(inner), up]);
  }

  private shared(inChannels: number, outChannels: number) {
    const { spatialDims, act, norm, dropout, adnOrdering, bias, kernelSize } = this.options;
    return { spatialDims, act, norm, dropout, adnOrdering, bias, kernelSize, inChannels, outChannels };
  }

  private down(device: Device, inChannels: number, outChannels: number, strides: Spatial): Module {
    const shared = this.shared(inChannels, outChannels);
    const { numResUnits = 0 } = this.options;
    return numResUnits > 0
      ? new ResidualUnit(device, { ...shared, strides, subunits: numResUnits })
      : new Convolution(device, { ...shared, strides });
  }

  private up(device: Device, inChannels: number, outChannels: number, strides: Spatial, top: boolean): Module {
    const { numResUnits = 0, upKernelSize } = this.options;
    const conv = new Convolution(device, {
      ...this.shared(inChannels, outChannels),
      strides,
      kernelSize: upKernelSize,
      isTransposed: true,
      convOnly: top && numResUnits === 0,
    });
    if (numResUnits === 0) return conv;
    const unit = new ResidualUnit(device, { ...this.shared(outChannels, outChannels), subunits: 1, lastConvOnly: top });
    return new Sequential([conv, unit]);
  }

  forward(x: Tensor): Tensor {
    const { spatialDims, inChannels, strides, channels } = this.options;
    expectImage("UNet", x, spatialDims, inChannels);
    const used = strides.slice(0, channels.length - 1);
    const [first] = used.map((s) => spatial("UNet", "strides", s, spatialDims, 1));
    const below = strideProducts("UNet", used.slice(1), spatialDims);
    const multiples = below.map((n, axis) => n * first[axis]);
    // No skip connection goes around the first level, so that its stride may round a size up.
    expectMultiples("UNet", x, multiples, (size, axis) => Math.ceil(size / first[axis]) % below[axis] === 0);
    return this.model.forward(x);
  }
}
