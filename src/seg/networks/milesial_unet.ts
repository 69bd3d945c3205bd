/** @file The padded U-Net that most people use, in the form of the repository milesial/Pytorch-UNet: batch norm, odd sizes padded to fit. */

import { expectDevice } from "../../tensor/kind.ts";
import { pad } from "../../autograd/pad.ts";
import { relu } from "../../autograd/pointwise.ts";
import { concat } from "../../autograd/view.ts";
import { Activation } from "../../nn/layers/activation.ts";
import { Conv, ConvTranspose } from "../../nn/layers/conv.ts";
import { expectImage, Module, Sequential } from "../../nn/module.ts";
import { BatchNorm } from "../../nn/layers/norm.ts";
import { MaxPool } from "../../nn/layers/pool.ts";
import { Upsample } from "../../nn/layers/upsample.ts";
import type { Device } from "../../tensor/device.ts";
import { ConfigError } from "../../host/errors.ts";
import { expectOptions } from "../../host/options.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/** Options of `MilesialUNet`. */
export interface MilesialUNetOptions {
  /** Channels of the image. */
  readonly inChannels: number;
  /** Classes. */
  readonly outChannels: number;
  /** Enlarge by interpolation instead of a transposed convolution, with half the channels below; default false. */
  readonly bilinear?: boolean;
  /** Channels of each level, top first: at least two, each twice the one before. Default [64, 128, 256, 512, 1024]. */
  readonly features?: readonly number[];
}

/** Twice: 3×3 convolution without bias, batch norm, ReLU. */
class DoubleConv extends Module {
  readonly double_conv: Sequential;

  constructor(device: Device, inChannels: number, outChannels: number, middle = outChannels) {
    super();
    const unit = (from: number, to: number) => [
      new Conv(device, { spatialDims: 2, inChannels: from, outChannels: to, kernelSize: 3, padding: 1, bias: false }),
      new BatchNorm(device, to),
      new Activation(relu),
    ];
    this.double_conv = new Sequential([...unit(inChannels, middle), ...unit(middle, outChannels)]);
  }

  forward(x: Tensor): Tensor {
    return this.double_conv.forward(x);
  }
}

class Down extends Module {
  readonly maxpool_conv: Sequential;

  constructor(device: Device, inChannels: number, outChannels: number) {
    super();
    this.maxpool_conv = new Sequential([new MaxPool({ kernelSize: 2 }), new DoubleConv(device, inChannels, outChannels)]);
  }

  forward(x: Tensor): Tensor {
    return this.maxpool_conv.forward(x);
  }
}

class Up extends Module {
  readonly up: Module;
  readonly conv: DoubleConv;

  constructor(device: Device, inChannels: number, outChannels: number, bilinear: boolean) {
    super();
    const half = Math.floor(inChannels / 2);
    this.up = bilinear
      ? new Upsample({ scaleFactor: 2, mode: "bilinear", alignCorners: true })
      : new ConvTranspose(device, { spatialDims: 2, inChannels, outChannels: half, kernelSize: 2, stride: 2 });
    this.conv = new DoubleConv(device, inChannels, outChannels, bilinear ? half : outChannels);
  }

  /** Enlarges `x`, pads it to the size of `skip` (the odd row or column at the end) and joins the two. */
  forward(x: Tensor, skip: Tensor): Tensor {
    const y = this.up.forward(x);
    const [rows, columns] = [2, 3].map((axis) => skip.shape[axis] - y.shape[axis]);
    const before = [columns, rows].map((d) => Math.floor(d / 2));
    const padding = [before[0], columns - before[0], before[1], rows - before[1]];
    return this.conv.forward(concat([skip, padding.some((p) => p !== 0) ? pad(y, padding) : y], 1));
  }
}

class Out extends Module {
  readonly conv: Conv;

  constructor(device: Device, inChannels: number, outChannels: number) {
    super();
    this.conv = new Conv(device, { spatialDims: 2, inChannels, outChannels, kernelSize: 1 });
  }

  forward(x: Tensor): Tensor {
    return this.conv.forward(x);
  }
}

/**
 * `[N, in, H, W]` → `[N, out, H, W]` logits for any H and W from 2^(levels − 1) on. State-dict names (`inc.double_conv.0.weight`,
 * `down1.maxpool_conv.1…`, `up1.up.weight`, `outc.conv.weight`) and, with the same seed, initial weights are the repository's; its old files
 * carry an entry `mask_values` besides.
 * @throws ConfigError for features that do not double
 */
export class MilesialUNet extends Module {
  private readonly inChannels: number;
  private readonly first: DoubleConv;
  private readonly downs: readonly Down[];
  private readonly ups: readonly Up[];
  private readonly last: Out;

  constructor(device: Device, options: MilesialUNetOptions) {
    expectOptions("MilesialUNet", options, "inChannels:number! outChannels:number! bilinear:boolean features:numbers");
    expectDevice("MilesialUNet", device);
    super();
    const { inChannels, outChannels, bilinear = false, features = [64, 128, 256, 512, 1024] } = options;
    const levels = features.length;
    if (levels < 2 || features.some((f, i) => i > 0 && f !== 2 * features[i - 1])) {
      throw new ConfigError(
        `MilesialUNet: features must be at least 2 levels, each twice the one before, got [${features.join(", ")}]`,
      );
    }
    const factor = bilinear ? 2 : 1;
    this.inChannels = inChannels;
    this.first = new DoubleConv(device, inChannels, features[0]);
    this.downs = features.slice(1).map((f, i) => new Down(device, features[i], i === levels - 2 ? Math.floor(f / factor) : f));
    this.ups = features
      .slice(0, -1)
      .toReversed()
      .map((f, i) => {
        const top = i === levels - 2;
        return new Up(device, features[levels - 1 - i], top ? f : Math.floor(f / factor), bilinear);
      });
    this.last = new Out(device, features[0], outChannels);
  }

  override *children(): Iterable<readonly [string, Module]> {
    yield ["inc", this.first];
    for (const [i, down] of this.downs.entries()) yield [`down${i + 1}`, down];
    for (const [i, up] of this.ups.entries()) yield [`up${i + 1}`, up];
    yield ["outc", this.last];
  }

  forward(x: Tensor): Tensor {
    expectImage("MilesialUNet", x, 2, this.inChannels);
    const skips = [this.first.forward(x)];
    for (const down of this.downs) skips.push(down.forward(skips.at(-1)!));
    let y = skips.pop()!;
    for (const up of this.ups) y = up.forward(y, skips.pop()!);
    return this.last.forward(y);
  }
}
