/** @file QuickNAT's dense, encoder and decoder blocks (Roy et al. 2019) with the state-dict names of `nn-common-modules`. */

import { maxPoolWithIndices, maxUnpool } from "../../autograd/pool.ts";
import { concat } from "../../autograd/view.ts";
import { PReLU } from "../../nn/layers/activation.ts";
import { Conv } from "../../nn/layers/conv.ts";
import { Dropout } from "../../nn/layers/dropout.ts";
import { inSequence, Module } from "../../nn/module.ts";
import { BatchNorm } from "../../nn/layers/norm.ts";
import { squeezeExcite, type SqueezeExciteSpec } from "../../nn/layers/squeeze_excite.ts";
import type { Device } from "../../tensor/device.ts";
import type { Tensor } from "../../tensor/tensor.ts";

export interface QuickNatBlockOptions {
  readonly inChannels: number;
  readonly numFilters: number;
  readonly kernelH: number;
  readonly kernelW: number;
  readonly strideConv: number;
  readonly pool: number;
  readonly stridePool: number;
  readonly seBlock: SqueezeExciteSpec;
  readonly dropOut: number;
}

/** Three convolutions, each behind batch norm and PReLU and fed with all that came before; one PReLU slope serves all three. */
export class DenseBlock extends Module {
  readonly SELayer: Module | undefined;
  readonly conv1: Conv;
  readonly conv2: Conv;
  readonly conv3: Conv;
  readonly batchnorm1: BatchNorm;
  readonly batchnorm2: BatchNorm;
  readonly batchnorm3: BatchNorm;
  readonly prelu: PReLU;
  readonly drop_out: Dropout | undefined;

  constructor(device: Device, options: QuickNatBlockOptions) {
    super();
    const { inChannels: channels, numFilters: filters, strideConv: stride, dropOut } = options;
    this.SELayer = squeezeExcite(device, options.seBlock, filters);
    const kernelSize = [options.kernelH, options.kernelW];
    const padding = kernelSize.map((k) => Math.floor((k - 1) / 2));
    const conv = (inChannels: number) =>
      new Conv(device, { spatialDims: 2, inChannels, outChannels: filters, kernelSize, padding, stride });
    this.conv1 = conv(channels);
    this.conv2 = conv(channels + filters);
    const all = channels + 2 * filters;
    this.conv3 = new Conv(device, { spatialDims: 2, inChannels: all, outChannels: filters, kernelSize: 1, stride });
    this.batchnorm1 = new BatchNorm(device, channels);
    this.batchnorm2 = new BatchNorm(device, channels + filters);
    this.batchnorm3 = new BatchNorm(device, all);
    this.prelu = new PReLU(device);
    this.drop_out = dropOut > 0 ? new Dropout(device, dropOut, { channels: true }) : undefined;
  }

  forward(x: Tensor): Tensor {
    const act = (norm: BatchNorm, t: Tensor) => inSequence(t, norm, this.prelu);
    const first = this.conv1.forward(act(this.batchnorm1, x));
    const both = concat([x, first], 1);
    const second = this.conv2.forward(act(this.batchnorm2, both));
    return this.conv3.forward(act(this.batchnorm3, concat([both, second], 1)));
  }

  /** `forward`, then squeeze and excitation, then dropout of whole channels. */
  protected excited(x: Tensor): Tensor {
    const dense = DenseBlock.prototype.forward.call(this, x);
    const scaled = this.SELayer ? this.SELayer.forward(dense) : dense;
    return this.drop_out ? this.drop_out.forward(scaled) : scaled;
  }
}

/** What an encoder block hands on. */
export interface Encoded {
  /** Max-pooled. */
  readonly pooled: Tensor;
  /** Before pooling, for the skip connection. */
  readonly skip: Tensor;
  /** Where the maxima were. */
  readonly indices: Tensor;
}

/** Dense block and max pooling that keeps its indices. */
export class EncoderBlock extends DenseBlock {
  private readonly geometry: { readonly kernelSize: number; readonly stride: number };

  constructor(device: Device, options: QuickNatBlockOptions) {
    super(device, options);
    this.geometry = { kernelSize: options.pool, stride: options.stridePool };
  }

  /** `[N, C, H, W]` → the block's features, pooled and not. Throws `ShapeError`. */
  encode(x: Tensor): Encoded {
    const skip = this.excited(x);
    const { output, indices } = maxPoolWithIndices(skip, this.geometry);
    return { pooled: output, skip, indices };
  }

  override forward(x: Tensor): Tensor {
    return this.encode(x).pooled;
  }
}

/** Unpooling to the size of the skip connection, concatenation, dense block. */
export class DecoderBlock extends DenseBlock {
  private readonly geometry: { readonly kernelSize: number; readonly stride: number };

  constructor(device: Device, options: QuickNatBlockOptions) {
    super(device, options);
    this.geometry = { kernelSize: options.pool, stride: options.stridePool };
  }

  /** Features of the level below and what the encoder kept of this one → features of this level. Throws `ShapeError`. */
  decode(x: Tensor, { skip, indices }: Pick<Encoded, "skip" | "indices">): Tensor {
    const unpooled = maxUnpool(x, indices, { ...this.geometry, outputSize: skip.shape.slice(2) });
    return this.excited(concat([skip, unpooled], 1));
  }

  /** Without a skip connection: the dense block on features of this level. */
  override forward(x: Tensor): Tensor {
    return this.excited(x);
  }
}
