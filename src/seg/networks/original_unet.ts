/** @file The U-Net as published (Ronneberger et al. 2015, arXiv 1505.04597): unpadded convolutions and cropped skip connections. */

import { expectDevice } from "../../tensor/kind.ts";
import { maxPool } from "../../autograd/pool.ts";
import { relu } from "../../autograd/pointwise.ts";
import { concat, slice } from "../../autograd/view.ts";
import { Activation } from "../../nn/layers/activation.ts";
import { Conv, ConvTranspose } from "../../nn/layers/conv.ts";
import { expectImage, Module, Sequential } from "../../nn/module.ts";
import { ModuleList } from "../../nn/layers/module_list.ts";
import { BatchNorm } from "../../nn/layers/norm.ts";
import { Upsample } from "../../nn/layers/upsample.ts";
import type { Device } from "../../tensor/device.ts";
import { ConfigError, ShapeError } from "../../host/errors.ts";
import { expectIntegers } from "../../host/integers.ts";
import { expectOptions } from "../../host/options.ts";
import { type Shape, showShape } from "../../host/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/** Options of `OriginalUNet`. */
export interface OriginalUNetOptions {
  /** Channels of the image; default 1. */
  readonly inChannels?: number;
  /** Classes; default 2. */
  readonly outChannels?: number;
  /** Levels; default 5. */
  readonly depth?: number;
  /** Channels of the first level, doubled at every further one; default 64. */
  readonly features?: number;
  /** Pad the convolutions by 1, so that they keep sizes; default false. */
  readonly padding?: boolean;
  /** Batch norm behind every activation; default false. */
  readonly batchNorm?: boolean;
  /** Enlarge by transposed convolution ("upconv", default) or by interpolation and a 1×1 convolution ("upsample"). */
  readonly upMode?: "upconv" | "upsample";
}

type BlockOptions = Required<Pick<OriginalUNetOptions, "padding" | "batchNorm" | "upMode">>;

/** Twice: 3×3 convolution, ReLU and, if asked for, batch norm. */
class Block extends Module {
  readonly block: Sequential;

  constructor(device: Device, inChannels: number, outChannels: number, { padding, batchNorm }: BlockOptions) {
    super();
    const unit = (from: number) => [
      new Conv(device, { spatialDims: 2, inChannels: from, outChannels, kernelSize: 3, padding: padding ? 1 : 0 }),
      new Activation(relu),
      ...(batchNorm ? [new BatchNorm(device, outChannels)] : []),
    ];
    this.block = new Sequential([...unit(inChannels), ...unit(outChannels)]);
  }

  forward(x: Tensor): Tensor {
    return this.block.forward(x);
  }
}

/** The middle of `x` in the spatial size of `shape`; of an odd rest the smaller part is cut off in front. */
function centerCrop(x: Tensor, shape: Shape): Tensor {
  const ranges = x.shape.slice(2).map((size, i) => {
    const start = Math.floor((size - shape[i + 2]) / 2);
    return [start, start + shape[i + 2]] as const;
  });
  return slice(x, [undefined, undefined, ...ranges]);
}

class UpBlock extends Module {
  readonly up: Module;
  readonly conv_block: Block;

  constructor(device: Device, inChannels: number, outChannels: number, options: BlockOptions) {
    super();
    const channels = { spatialDims: 2, inChannels, outChannels } as const;
    this.up =
      options.upMode === "upconv"
        ? new ConvTranspose(device, { ...channels, kernelSize: 2, stride: 2 })
        : new Sequential([new Upsample({ scaleFactor: 2, mode: "bilinear" }), new Conv(device, { ...channels, kernelSize: 1 })]);
    this.conv_block = new Block(device, inChannels, outChannels, options);
  }

  forward(x: Tensor, skip: Tensor): Tensor {
    const y = this.up.forward(x);
    return this.conv_block.forward(concat([y, centerCrop(skip, y.shape)], 1));
  }
}

/**
 * `[N, in, H, W]` → `[N, out, h, w]` logits of the middle: 572 → 388 with the defaults, which are the paper's network (31,030,658
 * parameters for 1 → 2 channels). State-dict names (`down_path.0.block.0.weight`, `up_path.0.up.weight`, `last.weight`) and options follow the
 * repository jvanvugt/pytorch-unet, whose `wf` is log₂ of `features`.
 * @throws ConfigError for an unknown upMode or no level
 */
export class OriginalUNet extends Module {
  private readonly down_path: ModuleList<Block>;
  private readonly up_path: ModuleList<UpBlock>;
  /** The last convolution, of kernel 1. */
  readonly last: Conv;
  private readonly inChannels: number;
  private readonly padding: boolean;

  constructor(device: Device, options: OriginalUNetOptions = {}) {
    expectOptions(
      "OriginalUNet",
      options,
      "inChannels:number outChannels:number depth:number features:number padding:boolean batchNorm:boolean upMode",
    );
    expectDevice("OriginalUNet", device);
    super();
    const { inChannels = 1, outChannels = 2, depth = 5, features = 64 } = options;
    const { padding = false, batchNorm = false, upMode = "upconv" } = options;
    if (upMode !== "upconv" && upMode !== "upsample") {
      throw new ConfigError(`OriginalUNet: upMode must be "upconv" or "upsample", got ${JSON.stringify(upMode)}`);
    }
    expectIntegers("OriginalUNet", { depth }, 1);
    const levels = Array.from({ length: depth }, (_, i) => features * 2 ** i);
    const block = { padding, batchNorm, upMode };
    this.inChannels = inChannels;
    this.padding = padding;
    this.down_path = new ModuleList(levels.map((f, i) => new Block(device, i === 0 ? inChannels : levels[i - 1], f, block)));
    const below = levels.slice(1).toReversed();
    this.up_path = new ModuleList(below.map((f, i) => new UpBlock(device, f, levels[depth - 2 - i], block)));
    this.last = new Conv(device, { spatialDims: 2, inChannels: levels[0], outChannels, kernelSize: 1 });
  }

  /** Throws `ShapeError` for images that are not `[N, in, H, W]` or too small to leave anything in the middle. */
  forward(x: Tensor): Tensor {
    expectImage("OriginalUNet", x, 2, this.inChannels);
    this.expectRoom(x.shape);
    const skips: Tensor[] = [];
    let y = x;
    for (const [i, down] of this.down_path.items.entries()) {
      if (i > 0) y = maxPool(y, { kernelSize: 2 });
      y = down.forward(y);
      skips.push(y);
    }
    skips.pop();
    for (const up of this.up_path.items) y = up.forward(y, skips.pop()!);
    return this.last.forward(y);
  }

  // An image may get through the encoder and still leave nothing of the decoder.
  private expectRoom(shape: Shape): void {
    const depth = this.down_path.items.length;
    const lost = this.padding ? 0 : 4;
    for (const size of shape.slice(2)) {
      let s = size;
      for (let i = 0; i < depth; i++) s = (i > 0 ? Math.floor(s / 2) : s) - lost;
      for (let i = 1; i < depth && s > 0; i++) s = 2 * s - lost;
      if (s > 0) continue;
      throw new ShapeError(
        `OriginalUNet: an image ${showShape(shape)} is too small for ${depth} levels; pad it (by reflection, as the paper does) or use less depth`,
      );
    }
  }
}
