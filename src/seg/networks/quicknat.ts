/** @file QuickNAT (Roy et al. 2019, arXiv 1801.04161): a 2-D encoder and decoder of dense blocks with unpooling by the encoder's indices. */

import { expectDevice } from "../../tensor/kind.ts";
import { tieUnused } from "../../autograd/tie_unused.ts";
import { Conv } from "../../nn/layers/conv.ts";
import { expectImage, Module } from "../../nn/module.ts";
import type { SqueezeExciteSpec } from "../../nn/layers/squeeze_excite.ts";
import type { Device } from "../../tensor/device.ts";
import { expectIntegers } from "../../host/integers.ts";
import { expectOptions } from "../../host/options.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { DecoderBlock, DenseBlock, EncoderBlock } from "./quicknat_blocks.ts";

/** Options of `QuickNat`. */
export interface QuickNatOptions {
  /** Classes including background, the original's `num_class`; default 33. */
  readonly outChannels?: number;
  /** The original's `num_channels`; default 1. */
  readonly inChannels?: number;
  /** Channels of every block; default 64. */
  readonly numFilters?: number;
  /** Odd; default 5. */
  readonly kernelH?: number;
  /** Odd; default 5. */
  readonly kernelW?: number;
  /** Kernel of the classifier, which does not pad; default 1. */
  readonly kernelC?: number;
  /** Default 1, the only stride with which the concatenations fit. */
  readonly strideConv?: number;
  /** Window of the pooling; default 2. */
  readonly pool?: number;
  /** Default 2. */
  readonly stridePool?: number;
  /** Squeeze and excitation of channels, positions or both; default "CSSE". */
  readonly seBlock?: SqueezeExciteSpec;
  /** Rate of channel dropout after every encoder and decoder; default 0.2. */
  readonly dropOut?: number;
}

class Classifier extends Module {
  readonly conv: Conv;

  constructor(device: Device, numFilters: number, outChannels: number, kernelSize: number, stride: number) {
    super();
    this.conv = new Conv(device, { spatialDims: 2, inChannels: numFilters, outChannels, kernelSize, stride });
  }

  forward(x: Tensor): Tensor {
    return this.conv.forward(x);
  }
}

/**
 * `[N, inChannels, H, W]` → `[N, outChannels, H, W]` logits for slices of any size from 16 on. State-dict names, defaults and, with the same
 * seed, initial weights are those of `quickNAT_pytorch`: there `decode4` is the deepest decoder, then 1, 2 and 3, and the bottleneck holds a
 * squeeze-and-excite layer it never uses (its gradient is zero here).
 * @throws ConfigError for options outside their range
 */
export class QuickNat extends Module {
  private readonly encode1: EncoderBlock;
  private readonly encode2: EncoderBlock;
  private readonly encode3: EncoderBlock;
  private readonly encode4: EncoderBlock;
  private readonly bottleneck: DenseBlock;
  private readonly decode1: DecoderBlock;
  private readonly decode2: DecoderBlock;
  private readonly decode3: DecoderBlock;
  private readonly decode4: DecoderBlock;
  private readonly classifier: Classifier;
  private readonly inChannels: number;

  constructor(device: Device, options: QuickNatOptions = {}) {
    expectOptions(
      "QuickNat",
      options,
      "outChannels:number inChannels:number numFilters:number kernelH:number kernelW:number kernelC:number strideConv:number pool:number stridePool:number seBlock dropOut:number",
    );
    expectDevice("QuickNat", device);
    super();
    const { outChannels = 33, inChannels = 1, numFilters = 64, kernelC = 1, strideConv = 1, dropOut = 0.2 } = options;
    expectIntegers("QuickNat", { outChannels, inChannels, numFilters }, 1);
    const { kernelH = 5, kernelW = 5, pool = 2, stridePool = 2, seBlock = "CSSE" } = options;
    const shared = { numFilters, kernelH, kernelW, strideConv, pool, stridePool, seBlock, dropOut };
    const inner = { ...shared, inChannels: numFilters };
    const joined = { ...shared, inChannels: 2 * numFilters };
    this.inChannels = inChannels;
    this.encode1 = new EncoderBlock(device, { ...shared, inChannels });
    this.encode2 = new EncoderBlock(device, inner);
    this.encode3 = new EncoderBlock(device, inner);
    this.encode4 = new EncoderBlock(device, inner);
    this.bottleneck = new DenseBlock(device, inner);
    this.decode1 = new DecoderBlock(device, joined);
    this.decode2 = new DecoderBlock(device, joined);
    this.decode3 = new DecoderBlock(device, joined);
    this.decode4 = new DecoderBlock(device, joined);
    this.classifier = new Classifier(device, numFilters, outChannels, kernelC, strideConv);
  }

  forward(x: Tensor): Tensor {
    expectImage("QuickNat", x, 2, this.inChannels);
    const first = this.encode1.encode(x);
    const second = this.encode2.encode(first.pooled);
    const third = this.encode3.encode(second.pooled);
    const fourth = this.encode4.encode(third.pooled);
    const unused = this.bottleneck.SELayer?.parameters() ?? [];
    let y = tieUnused(this.bottleneck.forward(fourth.pooled), unused);
    y = this.decode4.decode(y, fourth);
    y = this.decode1.decode(y, third);
    y = this.decode2.decode(y, second);
    return this.classifier.forward(this.decode3.decode(y, first));
  }
}
