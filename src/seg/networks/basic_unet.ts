/** @file MONAI's BasicUNet (after Falk et al. 2019): five levels of two convolutions, max pooling, and skips that take odd sizes. */

import { expectDevice } from "../../tensor/kind.ts";
import { pad } from "../../autograd/pad.ts";
import { concat } from "../../autograd/view.ts";
import type { ActivationSpec } from "../../nn/layers/activation.ts";
import { Convolution } from "../../nn/layers/blocks.ts";
import { Conv } from "../../nn/layers/conv.ts";
import type { DropoutSpec } from "../../nn/layers/dropout.ts";
import { expectImage, Module, Sequential } from "../../nn/module.ts";
import type { NormSpec } from "../../nn/layers/norm.ts";
import { MaxPool } from "../../nn/layers/pool.ts";
import { UpsampleBlock, type UpsampleMode } from "../../nn/layers/upsample_block.ts";
import type { Device } from "../../tensor/device.ts";
import { ShapeError } from "../../host/errors.ts";
import { expectOptions } from "../../host/options.ts";
import { showShape } from "../../host/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { expectSpatialDims } from "./checks.ts";

/** Options of `BasicUNet`. */
export interface BasicUNetOptions {
  /** Default 3. */
  readonly spatialDims?: 1 | 2 | 3;
  /** Default 1. */
  readonly inChannels?: number;
  /** Default 2. */
  readonly outChannels?: number;
  /** Channels of the five encoder levels and of the last decoder level; default 32, 32, 64, 128, 256, 32. */
  readonly features?: readonly number[];
  /** Default leaky ReLU of slope 0.1; null for none. */
  readonly act?: ActivationSpec | null;
  /** Default instance norm with scale and shift; null for none. */
  readonly norm?: NormSpec | null;
  /** Default true. */
  readonly bias?: boolean;
  /** Default 0. */
  readonly dropout?: DropoutSpec;
  /** Default "deconv". */
  readonly upsample?: UpsampleMode;
}

/** The names of these options. */
export const basicUNetNames =
  "spatialDims:number inChannels:number outChannels:number features:numbers act norm bias:boolean dropout upsample";

export type Settings = Required<BasicUNetOptions>;

/** The options with their defaults. Throws `ConfigError`, `ShapeError`. */
export function settingsOf(op: string, options: BasicUNetOptions): Settings {
  const settings: Settings = {
    spatialDims: options.spatialDims ?? 3,
    inChannels: options.inChannels ?? 1,
    outChannels: options.outChannels ?? 2,
    features: options.features ?? [32, 32, 64, 128, 256, 32],
    act: options.act === undefined ? ["LEAKYRELU", { negativeSlope: 0.1 }] : options.act,
    norm: options.norm === undefined ? ["INSTANCE", { affine: true }] : options.norm,
    bias: options.bias ?? true,
    dropout: options.dropout ?? 0,
    upsample: options.upsample ?? "deconv",
  };
  const { spatialDims, features } = settings;
  expectSpatialDims(op, spatialDims);
  if (features.length !== 6) throw new ShapeError(`${op}: features must be 6 numbers, got ${showShape(features)}`);
  return settings;
}

/** Throws `ShapeError` for an input that is no image of these channels, or that four poolings leave nothing of. */
export function expectFiveLevels(op: string, x: Tensor, { spatialDims, inChannels }: Settings): void {
  expectImage(op, x, spatialDims, inChannels);
  if (x.shape.slice(2).some((size) => size < 16))
    throw new ShapeError(`${op}: ${showShape(x.shape)} is too small for four poolings; pad each axis to at least 16`);
}

/** Two convolutions. */
export class TwoConv extends Sequential {
  constructor(device: Device, settings: Settings, inChannels: number, outChannels: number) {
    const { spatialDims, act, norm, bias, dropout } = settings;
    const shared = { spatialDims, outChannels, act, norm, bias, dropout, padding: 1 };
    super({
      conv_0: new Convolution(device, { ...shared, inChannels }),
      conv_1: new Convolution(device, { ...shared, inChannels: outChannels }),
    });
  }
}

/** Halves, and convolves twice. */
export class Down extends Sequential {
  constructor(device: Device, settings: Settings, inChannels: number, outChannels: number) {
    super({ max_pooling: new MaxPool({ kernelSize: 2 }), convs: new TwoConv(device, settings, inChannels, outChannels) });
  }
}

/** Upsamples, repeats the last row where pooling dropped one, and convolves together with the encoder's features. */
export class UpCat extends Module {
  readonly upsample: UpsampleBlock;
  readonly convs: TwoConv;

  constructor(device: Device, settings: Settings, inChannels: number, skip: number, outChannels: number, halves = true) {
    super();
    const { spatialDims, upsample: mode } = settings;
    const up = halves ? Math.floor(inChannels / 2) : inChannels;
    this.upsample = new UpsampleBlock(device, { spatialDims, inChannels, outChannels: up, mode });
    this.convs = new TwoConv(device, settings, skip + up, outChannels);
  }

  forward(x: Tensor, skip: Tensor): Tensor {
    const up = this.upsample.forward(x);
    const missing = up.shape.slice(2).map((size, i) => (size === skip.shape[i + 2] ? 0 : 1));
    const ends = missing.toReversed().flatMap((m) => [0, m]);
    const wide = missing.includes(1) ? pad(up, ends, { mode: "replicate" }) : up;
    return this.convs.forward(concat([skip, wide], 1));
  }
}

/**
 * `[N, in, …]` → `[N, out, …]` logits, of any size that four poolings leave something of. State-dict names are MONAI's
 * (`conv_0.conv_0.conv.weight`, `upcat_4.upsample.deconv.weight` …), and with the same seed so are the initial weights.
 * @throws ConfigError for unknown options, ShapeError for features or inputs that do not fit
 */
export class BasicUNet extends Module {
  private readonly conv_0: TwoConv;
  private readonly down_1: Down;
  private readonly down_2: Down;
  private readonly down_3: Down;
  private readonly down_4: Down;
  private readonly upcat_4: UpCat;
  private readonly upcat_3: UpCat;
  private readonly upcat_2: UpCat;
  private readonly upcat_1: UpCat;
  /** The last convolution, of kernel 1. */
  readonly final_conv: Conv;
  private readonly options: Settings;

  constructor(device: Device, options: BasicUNetOptions = {}) {
    expectOptions("BasicUNet", options, basicUNetNames);
    expectDevice("BasicUNet", device);
    super();
    const settings = settingsOf("BasicUNet", options);
    const { spatialDims, inChannels, outChannels, features } = settings;
    this.options = settings;
    const [f0, f1, f2, f3, f4, last] = features;
    this.conv_0 = new TwoConv(device, settings, inChannels, f0);
    this.down_1 = new Down(device, settings, f0, f1);
    this.down_2 = new Down(device, settings, f1, f2);
    this.down_3 = new Down(device, settings, f2, f3);
    this.down_4 = new Down(device, settings, f3, f4);
    this.upcat_4 = new UpCat(device, settings, f4, f3, f3);
    this.upcat_3 = new UpCat(device, settings, f3, f2, f2);
    this.upcat_2 = new UpCat(device, settings, f2, f1, f1);
    this.upcat_1 = new UpCat(device, settings, f1, f0, last, false);
    this.final_conv = new Conv(device, { spatialDims, inChannels: last, outChannels, kernelSize: 1 });
  }

  forward(x: Tensor): Tensor {
    expectFiveLevels("BasicUNet", x, this.options);
    const x0 = this.conv_0.forward(x);
    const x1 = this.down_1.forward(x0);
    const x2 = this.down_2.forward(x1);
    const x3 = this.down_3.forward(x2);
    const x4 = this.down_4.forward(x3);
    const u4 = this.upcat_4.forward(x4, x3);
    const u3 = this.upcat_3.forward(u4, x2);
    const u2 = this.upcat_2.forward(u3, x1);
    const u1 = this.upcat_1.forward(u2, x0);
    return this.final_conv.forward(u1);
  }
}
