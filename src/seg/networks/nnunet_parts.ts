/** @file What nnU-Net's networks share: the options of a stage list, the decoder with its segmentation heads, and the initial weights. */

import { tieUnused } from "../../autograd/tie_unused.ts";
import { concat } from "../../autograd/view.ts";
import type { ActivationSpec } from "../../nn/layers/activation.ts";
import { Conv, ConvLayer, ConvTranspose } from "../../nn/layers/conv.ts";
import { initGenerator } from "../../nn/init.ts";
import { expectImage, Module } from "../../nn/module.ts";
import { ModuleList } from "../../nn/layers/module_list.ts";
import type { NormSpec } from "../../nn/layers/norm.ts";
import type { Device } from "../../tensor/device.ts";
import { ConfigError } from "../../host/errors.ts";
import { expectIntegers } from "../../host/integers.ts";
import { sizeOf } from "../../host/array.ts";
import type { Spatial } from "../../host/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { expectMultiples, expectSpatialDims, strideProducts } from "./checks.ts";
import { type BlockStyle, StackedConvBlocks } from "./nnunet_blocks.ts";

/** Options of both networks; defaults are those of nnU-Net's plans, not the package's (which has no norm and no activation). */
export interface NnUNetOptions {
  /** Number of spatial axes. */
  readonly spatialDims: 1 | 2 | 3;
  /** The package's `input_channels`. */
  readonly inChannels: number;
  /** Resolutions of the encoder. */
  readonly nStages: number;
  /** Channels of each stage, or one number for all. */
  readonly featuresPerStage: number | readonly number[];
  /** One kernel for all stages, or one per stage (each a number or one per axis). */
  readonly kernelSizes: number | readonly Spatial[];
  /** As `kernelSizes`; the first is usually 1. */
  readonly strides: number | readonly Spatial[];
  /** Of the segmentation heads; the package's `num_classes`. */
  readonly outChannels: number;
  /** Convolutions of each decoder stage, lowest resolution first, or one number for all. */
  readonly nConvPerStageDecoder: number | readonly number[];
  /** Default true. */
  readonly convBias?: boolean;
  /** Default instance norm with scale and shift; null for none. */
  readonly norm?: NormSpec | null;
  /** Default leaky ReLU with slope 0.01; null for none. */
  readonly nonlin?: ActivationSpec | null;
  /** Rate of channel dropout; default 0: none. */
  readonly dropout?: number;
}

/** The names of these options. */
export const nnUNetNames =
  "spatialDims:number! inChannels:number! nStages:number! featuresPerStage kernelSizes strides outChannels:number! nConvPerStageDecoder convBias norm nonlin dropout";

/** One entry per stage. Throws `ConfigError` for another number of entries. */
export function perStage<T>(op: string, name: string, value: T | readonly T[], stages: number): T[] {
  if (!Array.isArray(value)) return new Array<T>(stages).fill(value as T);
  if (value.length !== stages)
    throw new ConfigError(
      `${op}: ${name} has ${value.length} entries for ${stages} stages; give one number or ${stages} entries`,
    );
  return [...(value as readonly T[])];
}

/** The stages of a network in full. */
export interface Stages {
  readonly features: number[];
  readonly kernels: Spatial[];
  readonly strides: Spatial[];
  readonly style: BlockStyle;
}

/** Checks and completes the options. Throws `ConfigError`. */
export function stagesOf(op: string, options: NnUNetOptions, nonlinFirst = false): Stages {
  const { spatialDims, nStages } = options;
  expectSpatialDims(op, spatialDims);
  expectIntegers(op, { nStages }, 2);
  return {
    features: perStage(op, "featuresPerStage", options.featuresPerStage, nStages),
    kernels: perStage(op, "kernelSizes", options.kernelSizes as Spatial | readonly Spatial[], nStages) as Spatial[],
    strides: perStage(op, "strides", options.strides as Spatial | readonly Spatial[], nStages) as Spatial[],
    style: {
      spatialDims,
      convBias: options.convBias ?? true,
      norm: options.norm === undefined ? ["INSTANCE", { affine: true }] : options.norm,
      nonlin: options.nonlin === undefined ? ["LEAKYRELU", { negativeSlope: 0.01 }] : options.nonlin,
      dropout: options.dropout ?? 0,
      nonlinFirst,
    },
  };
}

/** An encoder gives the features of every stage, highest resolution first. */
export interface Encoder extends Module {
  encode(x: Tensor): Tensor[];
}

/** Transposed convolutions back up, each joined with its skip connection, and a 1×1 head per stage. */
export class UNetDecoder extends Module {
  /** Listed here too, as in the original's state dict. */
  readonly encoder: Encoder;
  readonly stages: ModuleList<StackedConvBlocks>;
  readonly transpconvs: ModuleList<ConvTranspose>;
  readonly seg_layers: ModuleList<Conv>;

  constructor(device: Device, encoder: Encoder, convs: readonly number[], outChannels: number, of: Stages) {
    super();
    this.encoder = encoder;
    const { features, kernels, strides, style } = of;
    const { spatialDims } = style;
    const stages: StackedConvBlocks[] = [];
    const ups: ConvTranspose[] = [];
    const heads: Conv[] = [];
    for (let s = features.length - 1; s > 0; s--) {
      const [below, here] = [features[s], features[s - 1]];
      const step = { kernelSize: strides[s], stride: strides[s], bias: style.convBias };
      ups.push(new ConvTranspose(device, { spatialDims, inChannels: below, outChannels: here, ...step }));
      stages.push(
        new StackedConvBlocks(device, {
          ...style,
          count: convs[features.length - 1 - s],
          inChannels: 2 * here,
          outChannels: here,
          kernelSize: kernels[s - 1],
          stride: 1,
        }),
      );
      heads.push(new Conv(device, { spatialDims, inChannels: here, outChannels, kernelSize: 1 }));
    }
    this.stages = new ModuleList(stages);
    this.transpconvs = new ModuleList(ups);
    this.seg_layers = new ModuleList(heads);
  }

  /** Segmentations of all stages, or with `top` only of the last; highest resolution first. */
  decode(skips: readonly Tensor[], top: boolean): Tensor[] {
    const heads = this.seg_layers.items;
    let y = skips.at(-1)!;
    const out: Tensor[] = [];
    for (const [s, stage] of this.stages.items.entries()) {
      y = stage.forward(concat([this.transpconvs.items[s].forward(y), skips[skips.length - 2 - s]], 1));
      if (!top || s === heads.length - 1) out.unshift(heads[s].forward(y));
    }
    if (top)
      out[0] = tieUnused(
        out[0],
        heads.slice(0, -1).flatMap((head) => head.parameters()),
      );
    return out;
  }

  forward(...skips: Tensor[]): Tensor {
    return this.decode(skips, true)[0];
  }
}

/** What nnU-Net's networks share: an encoder, and a decoder with a segmentation head per stage. */
export abstract class NnUNet extends Module {
  /** @internal */
  abstract readonly encoder: Encoder;
  /** @internal */
  abstract readonly decoder: UNetDecoder;
  private readonly op: string;
  private readonly inChannels: number;
  private readonly multiples: readonly number[];

  /** @internal */
  protected constructor(op: string, { style, strides }: Stages, inChannels: number) {
    super();
    this.op = op;
    this.inChannels = inChannels;
    this.multiples = strideProducts(op, strides, style.spatialDims);
  }

  /** Draws the weights as nnU-Net does before training. */
  abstract initialize(): this;

  private expect(x: Tensor): void {
    expectImage(this.op, x, this.multiples.length, this.inChannels);
    expectMultiples(this.op, x, this.multiples);
  }

  /** `[N, in, …]` → `[N, outChannels, …]` logits of full resolution; the other heads get gradients of zero. Throws `ShapeError`. */
  forward(x: Tensor): Tensor {
    this.expect(x);
    return this.decoder.decode(this.encoder.encode(x), true)[0];
  }

  /**
   * Logits of all decoder stages, for deep supervision: highest resolution first, each further one smaller by a stage's stride.
   * Throws `ShapeError`. Shapes `[N, in, …]` → `[N, outChannels, …]` each.
   */
  forwardAll(x: Tensor): Tensor[] {
    this.expect(x);
    return this.decoder.decode(this.encoder.encode(x), false);
  }
}

/**
 * nnU-Net's initial weights (He et al. 2015 with a = 0.01): N(0, 2 / ((1 + a²) · fanIn)) and biases of zero, from the generator that
 * `manualSeed` seeds. Weights with several names are drawn once per name, as the package does, so equal seeds keep in step.
 */
export function initializeHe(module: Module): void {
  for (const [, layer] of module.namedModules()) {
    if (!(layer instanceof ConvLayer)) continue;
    const { weight, bias } = layer;
    const deviation = Math.sqrt(2 / (1 + 0.01 ** 2)) / Math.sqrt(sizeOf(weight.shape.slice(1)));
    weight.device.write(weight, { data: initGenerator.normal(0, deviation, weight.size), shape: weight.shape });
    bias?.device.write(bias, { data: new Float32Array(bias.size), shape: bias.shape });
  }
}
