/** @file Attention U-Net (Oktay et al. 2018) as MONAI builds it: skips weighted by a map that the level below computes. */

import { expectDevice } from "../../tensor/kind.ts";
import { add, mul, relu, sigmoid } from "../../autograd/pointwise.ts";
import { concat } from "../../autograd/view.ts";
import { Activation } from "../../nn/layers/activation.ts";
import { Convolution } from "../../nn/layers/blocks.ts";
import { expectImage, Module, Sequential } from "../../nn/module.ts";
import type { DropoutSpec } from "../../nn/layers/dropout.ts";
import { BatchNorm } from "../../nn/layers/norm.ts";
import type { Device } from "../../tensor/device.ts";
import { ShapeError } from "../../host/errors.ts";
import { expectOptions } from "../../host/options.ts";
import { showShape, type Spatial } from "../../host/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { expectMultiples, expectSpatialDims, strideProducts } from "./checks.ts";

/** Options of `AttentionUnet`. */
export interface AttentionUnetOptions {
  /** Number of spatial axes. */
  readonly spatialDims: 1 | 2 | 3;
  /** Channels of the image. */
  readonly inChannels: number;
  /** Channels of the output: classes. */
  readonly outChannels: number;
  /** Channels of each level, top first; at least two. */
  readonly channels: readonly number[];
  /** Stride of each level but the last; surplus entries are ignored. */
  readonly strides: readonly Spatial[];
  /** Odd; default 3. */
  readonly kernelSize?: Spatial;
  /** Odd; default 3. */
  readonly upKernelSize?: Spatial;
  /** After the convolutions of the encoder and the merging ones; default 0. */
  readonly dropout?: DropoutSpec;
}

class ConvBlock extends Module {
  readonly conv: Sequential;

  constructor(device: Device, options: AttentionUnetOptions, inChannels: number, outChannels: number, strides: Spatial = 1) {
    super();
    const { spatialDims, kernelSize, dropout = 0 } = options;
    const shared = { spatialDims, outChannels, kernelSize, dropout, act: "RELU", norm: "BATCH" } as const;
    this.conv = new Sequential([
      new Convolution(device, { ...shared, inChannels, strides }),
      new Convolution(device, { ...shared, inChannels: outChannels }),
    ]);
  }

  forward(x: Tensor): Tensor {
    return this.conv.forward(x);
  }
}

class UpConv extends Module {
  readonly up: Convolution;

  constructor(device: Device, options: AttentionUnetOptions, inChannels: number, outChannels: number, strides: Spatial) {
    super();
    const { spatialDims, upKernelSize: kernelSize } = options;
    const shared = { spatialDims, inChannels, outChannels, kernelSize, strides, act: "RELU", norm: "BATCH" } as const;
    this.up = new Convolution(device, { ...shared, dropout: 0, isTransposed: true });
  }

  forward(x: Tensor): Tensor {
    return this.up.forward(x);
  }
}

/** `x` times a map in (0, 1) made of itself and the gate `g`, both `[N, channels, …]`. */
class AttentionBlock extends Module {
  readonly W_g: Sequential;
  readonly W_x: Sequential;
  readonly psi: Sequential;

  constructor(device: Device, spatialDims: 1 | 2 | 3, channels: number, inner: number) {
    super();
    const point = (inChannels: number, outChannels: number) => [
      new Convolution(device, { spatialDims, inChannels, outChannels, kernelSize: 1, convOnly: true }),
      new BatchNorm(device, outChannels),
    ];
    this.W_g = new Sequential(point(channels, inner));
    this.W_x = new Sequential(point(channels, inner));
    this.psi = new Sequential([...point(inner, 1), new Activation(sigmoid)]);
  }

  forward(g: Tensor, x: Tensor): Tensor {
    return mul(x, this.psi.forward(relu(add(this.W_g.forward(g), this.W_x.forward(x)))));
  }
}

class AttentionLayer extends Module {
  readonly attention: AttentionBlock;
  readonly upconv: UpConv;
  readonly merge: Convolution;
  readonly submodule: Module;

  constructor(
    device: Device,
    options: AttentionUnetOptions,
    [outer, inner]: readonly number[],
    strides: Spatial,
    submodule: Module,
  ) {
    super();
    const { spatialDims, dropout = 0 } = options;
    this.attention = new AttentionBlock(device, spatialDims, outer, Math.floor(outer / 2));
    this.upconv = new UpConv(device, options, inner, outer, strides);
    this.merge = new Convolution(device, { spatialDims, inChannels: 2 * outer, outChannels: outer, dropout });
    this.submodule = submodule;
  }

  forward(x: Tensor): Tensor {
    const lower = this.upconv.forward(this.submodule.forward(x));
    return this.merge.forward(concat([this.attention.forward(lower, x), lower], 1));
  }
}

/**
 * `[N, in, …]` → `[N, out, …]` logits; sizes are multiples of the product of the strides. State-dict names are MONAI's
 * (`model.0.conv.0.conv.weight`, `model.1.attention.W_g.0.conv.weight` …), and with the same seed so are the initial weights.
 * @throws ConfigError for unknown options, ShapeError for channels, strides, kernels or inputs that do not fit
 */
export class AttentionUnet extends Module {
  /** All of it, under MONAI's name. */
  readonly model: Sequential;
  private readonly options: AttentionUnetOptions;

  constructor(device: Device, options: AttentionUnetOptions) {
    expectOptions(
      "AttentionUnet",
      options,
      "spatialDims:number! inChannels:number! outChannels:number! channels:numbers! strides:list! kernelSize upKernelSize dropout",
    );
    expectDevice("AttentionUnet", device);
    super();
    const { spatialDims, inChannels, outChannels, channels, strides } = options;
    expectSpatialDims("AttentionUnet", spatialDims);
    if (channels.length < 2) throw new ShapeError(`AttentionUnet: channels needs at least 2 levels, got ${showShape(channels)}`);
    if (channels.slice(0, -1).some((c) => c < 2))
      throw new ShapeError(`AttentionUnet: attention needs at least 2 channels on each level, got ${showShape(channels)}`);
    if (strides.length < channels.length - 1) {
      throw new ShapeError(`AttentionUnet: ${channels.length} levels need ${channels.length - 1} strides, got ${strides.length}`);
    }
    this.options = options;
    const head = new ConvBlock(device, options, inChannels, channels[0]);
    const reduce = new Convolution(device, { spatialDims, inChannels: channels[0], outChannels, kernelSize: 1, convOnly: true });
    this.model = new Sequential([head, this.level(device, channels, strides), reduce]);
  }

  // What lies below is made first, as in MONAI, so that equal seeds draw equal weights.
  private level(device: Device, channels: readonly number[], strides: readonly Spatial[]): AttentionLayer {
    const below = channels.length > 2 ? this.level(device, channels.slice(1), strides.slice(1)) : undefined;
    const block = new ConvBlock(device, this.options, channels[0], channels[1], strides[0]);
    return new AttentionLayer(device, this.options, channels, strides[0], below ? new Sequential([block, below]) : block);
  }

  forward(x: Tensor): Tensor {
    const { spatialDims, inChannels, channels, strides } = this.options;
    expectImage("AttentionUnet", x, spatialDims, inChannels);
    expectMultiples("AttentionUnet", x, strideProducts("AttentionUnet", strides.slice(0, channels.length - 1), spatialDims));
    return this.model.forward(x);
  }
}
