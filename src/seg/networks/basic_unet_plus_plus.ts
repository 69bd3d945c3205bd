/** @file MONAI's BasicUNetPlusPlus (UNet++, Zhou et al. 2018): every encoder level is brought up step by step, and each step sees all earlier ones. */

import { concat } from "../../autograd/view.ts";
import { Conv } from "../../nn/layers/conv.ts";
import { Module } from "../../nn/module.ts";
import { expectDevice } from "../../tensor/kind.ts";
import type { Device } from "../../tensor/device.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { expectOptions } from "../../host/options.ts";
import {
  type BasicUNetOptions,
  basicUNetNames,
  Down,
  expectFiveLevels,
  type Settings,
  settingsOf,
  TwoConv,
  UpCat,
} from "./basic_unet.ts";

/** Options of `BasicUNetPlusPlus`. */
export interface BasicUNetPlusPlusOptions extends BasicUNetOptions {
  /** `forwardAll` gives the outputs of all four depths instead of the last one's alone; default false. */
  readonly deepSupervision?: boolean;
}

/**
 * `[N, in, …]` → `[N, out, …]` logits of the deepest of four decoders, of any size that four poolings leave something of. State-dict names are MONAI's
 * (`conv_0_0.conv_0.conv.weight`, `upcat_0_4.upsample.deconv.weight` …), and with the same seed so are the initial weights.
 * @throws ConfigError for unknown options, ShapeError for features or inputs that do not fit
 */
export class BasicUNetPlusPlus extends Module {
  private readonly conv_0_0: TwoConv;
  private readonly conv_1_0: Down;
  private readonly conv_2_0: Down;
  private readonly conv_3_0: Down;
  private readonly conv_4_0: Down;
  private readonly upcat_0_1: UpCat;
  private readonly upcat_1_1: UpCat;
  private readonly upcat_2_1: UpCat;
  private readonly upcat_3_1: UpCat;
  private readonly upcat_0_2: UpCat;
  private readonly upcat_1_2: UpCat;
  private readonly upcat_2_2: UpCat;
  private readonly upcat_0_3: UpCat;
  private readonly upcat_1_3: UpCat;
  private readonly upcat_0_4: UpCat;
  private readonly final_conv_0_1: Conv;
  private readonly final_conv_0_2: Conv;
  private readonly final_conv_0_3: Conv;
  private readonly final_conv_0_4: Conv;
  private readonly settings: Settings;
  private readonly deepSupervision: boolean;

  constructor(device: Device, options: BasicUNetPlusPlusOptions = {}) {
    expectOptions("BasicUNetPlusPlus", options, `${basicUNetNames} deepSupervision:boolean`);
    expectDevice("BasicUNetPlusPlus", device);
    super();
    const { deepSupervision = false, ...rest } = options;
    const settings = settingsOf("BasicUNetPlusPlus", rest);
    this.settings = settings;
    this.deepSupervision = deepSupervision;
    const { spatialDims, inChannels, outChannels } = settings;
    const [f0, f1, f2, f3, f4, last] = settings.features;
    const up = (from: number, skip: number, to: number, halves = true) => new UpCat(device, settings, from, skip, to, halves);
    const head = (channels: number) => new Conv(device, { spatialDims, inChannels: channels, outChannels, kernelSize: 1 });
    this.conv_0_0 = new TwoConv(device, settings, inChannels, f0);
    this.conv_1_0 = new Down(device, settings, f0, f1);
    this.conv_2_0 = new Down(device, settings, f1, f2);
    this.conv_3_0 = new Down(device, settings, f2, f3);
    this.conv_4_0 = new Down(device, settings, f3, f4);
    this.upcat_0_1 = up(f1, f0, f0, false);
    this.upcat_1_1 = up(f2, f1, f1);
    this.upcat_2_1 = up(f3, f2, f2);
    this.upcat_3_1 = up(f4, f3, f3);
    this.upcat_0_2 = up(f1, 2 * f0, f0, false);
    this.upcat_1_2 = up(f2, 2 * f1, f1);
    this.upcat_2_2 = up(f3, 2 * f2, f2);
    this.upcat_0_3 = up(f1, 3 * f0, f0, false);
    this.upcat_1_3 = up(f2, 3 * f1, f1);
    this.upcat_0_4 = up(f1, 4 * f0, last, false);
    this.final_conv_0_1 = head(f0);
    this.final_conv_0_2 = head(f0);
    this.final_conv_0_3 = head(f0);
    this.final_conv_0_4 = head(last);
  }

  forward(x: Tensor): Tensor {
    return this.final_conv_0_4.forward(this.decode(x).at(-1)!);
  }

  /**
   * What MONAI's returns, for `deepSupervisionLoss`: with `deepSupervision` the logits of the four depths, the deepest last, otherwise those alone;
   * each `[N, out, …]` of the input's size.
   * @param x `[N, in, …]`
   * @throws ShapeError
   */
  forwardAll(x: Tensor): Tensor[] {
    if (!this.deepSupervision) return [this.forward(x)];
    const heads = [this.final_conv_0_1, this.final_conv_0_2, this.final_conv_0_3, this.final_conv_0_4];
    return this.decode(x).map((features, depth) => heads[depth].forward(features));
  }

  /** The finest features after each of the four depths. */
  private decode(x: Tensor): Tensor[] {
    expectFiveLevels("BasicUNetPlusPlus", x, this.settings);
    const x00 = this.conv_0_0.forward(x);
    const x10 = this.conv_1_0.forward(x00);
    const x20 = this.conv_2_0.forward(x10);
    const x30 = this.conv_3_0.forward(x20);
    const x40 = this.conv_4_0.forward(x30);
    const x01 = this.upcat_0_1.forward(x10, x00);
    const x11 = this.upcat_1_1.forward(x20, x10);
    const x21 = this.upcat_2_1.forward(x30, x20);
    const x31 = this.upcat_3_1.forward(x40, x30);
    const x02 = this.upcat_0_2.forward(x11, concat([x00, x01], 1));
    const x12 = this.upcat_1_2.forward(x21, concat([x10, x11], 1));
    const x22 = this.upcat_2_2.forward(x31, concat([x20, x21], 1));
    const x03 = this.upcat_0_3.forward(x12, concat([x00, x01, x02], 1));
    const x13 = this.upcat_1_3.forward(x22, concat([x10, x11, x12], 1));
    const x04 = this.upcat_0_4.forward(x13, concat([x00, x01, x02, x03], 1));
    return [x01, x02, x03, x04];
  }
}
