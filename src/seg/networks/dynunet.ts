/** @file MONAI's DynUNet, after nnU-Net (Isensee et al. 2019): kernel, stride and channels of every level, deep supervision. */

import { expectDevice } from "../../tensor/kind.ts";
import { interpolate } from "../../autograd/interpolate.ts";
import { stack } from "../../autograd/view.ts";
import type { ActivationSpec } from "../../nn/layers/activation.ts";
import { ConvLayer } from "../../nn/layers/conv.ts";
import type { DropoutSpec } from "../../nn/layers/dropout.ts";
import { initGenerator, kaimingNormalInit } from "../../nn/init.ts";
import { expectImage, Module } from "../../nn/module.ts";
import { ModuleList } from "../../nn/layers/module_list.ts";
import type { NormSpec } from "../../nn/layers/norm.ts";
import type { Device } from "../../tensor/device.ts";
import { ConfigError, ShapeError } from "../../host/errors.ts";
import { expectOptions } from "../../host/options.ts";
import { showShape, type Spatial } from "../../host/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { expectMultiples, expectSpatialDims, strideProducts } from "./checks.ts";
import { UnetBasicBlock, UnetOutBlock, UnetResBlock, UnetUpBlock } from "./dynunet_blocks.ts";

/** Options of `DynUNet`. */
export interface DynUNetOptions {
  /** Number of spatial axes. */
  readonly spatialDims: 1 | 2 | 3;
  /** Channels of the image. */
  readonly inChannels: number;
  /** Channels of the output: classes. */
  readonly outChannels: number;
  /** Of each level, at least three: the input block, the downsampling blocks, the bottleneck. */
  readonly kernelSize: readonly Spatial[];
  /** Of each level; the first one's makes the result smaller than the input. */
  readonly strides: readonly Spatial[];
  /** Kernel and stride of each transposed convolution: the strides without the first. */
  readonly upsampleKernelSize: readonly Spatial[];
  /** Channels of each level, surplus ones ignored; default 32, 64, 128 … up to 320 in 3-D, else 512. */
  readonly filters?: readonly number[];
  /** After every convolution; none if absent or null. */
  readonly dropout?: DropoutSpec | null;
  /** Default instance norm with scale and shift. */
  readonly normName?: NormSpec;
  /** Default leaky ReLU of slope 0.01. */
  readonly actName?: ActivationSpec;
  /** In training, also return what heads on lower levels say; default false. */
  readonly deepSupervision?: boolean;
  /** How many such heads, less than there are upsampling levels; default 1. */
  readonly deepSuprNum?: number;
  /** Residual blocks in the encoder; default false. */
  readonly resBlock?: boolean;
  /** Bias of the transposed convolutions; default false. */
  readonly transBias?: boolean;
}

/** One level and all below it; `heads` collects what the supervised levels say. */
class DynUNetSkipLayer extends Module {
  readonly downsample: Module;
  readonly next_layer: Module;
  readonly upsample: UnetUpBlock;
  readonly super_head: UnetOutBlock | undefined;
  private readonly heads: Tensor[];

  constructor(downsample: Module, next: Module, upsample: UnetUpBlock, head: UnetOutBlock | undefined, heads: Tensor[]) {
    super();
    this.downsample = downsample;
    this.next_layer = next;
    this.upsample = upsample;
    this.super_head = head;
    this.heads = heads;
  }

  forward(x: Tensor): Tensor {
    const down = this.downsample.forward(x);
    const up = this.upsample.forward(this.next_layer.forward(down), down);
    // Lower levels come first here; the caller wants the upper ones first.
    if (this.super_head && this.training) this.heads.unshift(this.super_head.forward(up));
    return up;
  }
}

/**
 * `[N, in, …]` → `[N, out, …]` logits; sizes are multiples of the product of the strides. In training with `deepSupervision` the result is the
 * stack `[N, 1 + deepSuprNum, out, …]` of the output and the heads' from the finest to the coarsest, these enlarged to its size (nearest). State-dict
 * names are MONAI's, with every block under its own name and again under `skip_layers`; with the same seed the initial weights are MONAI's up to
 * the last bits of log and cos in the normal distribution.
 * @throws ConfigError for unknown options, ShapeError for lists, kernels or inputs that do not fit
 */
export class DynUNet extends Module {
  /** First level. */
  readonly input_block: UnetBasicBlock;
  /** Levels between the first and the lowest. */
  readonly downsamples: ModuleList<UnetBasicBlock>;
  /** Lowest level. */
  readonly bottleneck: UnetBasicBlock;
  /** Decoder, lowest level first. */
  readonly upsamples: ModuleList<UnetUpBlock>;
  /** Head of full resolution. */
  readonly output_block: UnetOutBlock;
  /** Heads of lower levels; undefined without deep supervision. */
  readonly deep_supervision_heads: ModuleList<UnetOutBlock> | undefined;
  /** The same blocks, nested as the forward pass goes. */
  readonly skip_layers: Module;
  private readonly options: DynUNetOptions;
  private readonly heads: Tensor[] = [];

  constructor(device: Device, options: DynUNetOptions) {
    expectOptions(
      "DynUNet",
      options,
      "spatialDims:number! inChannels:number! outChannels:number! kernelSize:list! strides:list! upsampleKernelSize:list! filters:numbers dropout normName actName deepSupervision:boolean deepSuprNum:number resBlock:boolean transBias:boolean",
    );
    expectDevice("DynUNet", device);
    super();
    this.options = options;
    expectLists(options);
    const { spatialDims, inChannels, outChannels, kernelSize, strides, upsampleKernelSize, actName, transBias } = options;
    const { deepSupervision = false, deepSuprNum = 1, resBlock = false, normName = ["INSTANCE", { affine: true }] } = options;
    const levels = strides.length;
    const cap = spatialDims === 3 ? 320 : 512;
    const filters = options.filters ?? strides.map((_, i) => Math.min(2 ** (5 + i), cap));
    const dropout = options.dropout ?? undefined;
    const common = { spatialDims, normName, actName, dropout };
    const Block = resBlock ? UnetResBlock : UnetBasicBlock;
    const block = (i: number) =>
      new Block(device, {
        ...common,
        inChannels: i === 0 ? inChannels : filters[i - 1],
        outChannels: filters[i],
        kernelSize: kernelSize[i],
        stride: strides[i],
      });
    const head = (i: number) => new UnetOutBlock(device, { spatialDims, inChannels: filters[i], outChannels, dropout });

    // In MONAI's order, so that equal seeds draw equal weights.
    this.input_block = block(0);
    this.downsamples = new ModuleList(Array.from({ length: levels - 2 }, (_, i) => block(i + 1)));
    this.bottleneck = block(levels - 1);
    this.upsamples = new ModuleList(
      Array.from({ length: levels - 1 }, (_, k) => {
        const i = levels - 1 - k;
        const up = { upsampleKernelSize: upsampleKernelSize[i - 1], transBias, kernelSize: kernelSize[i] };
        return new UnetUpBlock(device, { ...common, ...up, inChannels: filters[i], outChannels: filters[i - 1] });
      }),
    );
    this.output_block = head(0);
    initGenerator.rand(1); // as MONAI, which fills its list of heads with torch.rand(1) first
    if (deepSupervision) this.deep_supervision_heads = new ModuleList(Array.from({ length: deepSuprNum }, (_, i) => head(i + 1)));
    initialize(this);
    this.skip_layers = this.level(0);
  }

  private level(i: number): Module {
    const { downsamples, upsamples, deep_supervision_heads: heads } = this;
    if (i === upsamples.items.length) return this.bottleneck;
    const down = i === 0 ? this.input_block : downsamples.items[i - 1];
    const head = i === 0 ? undefined : heads?.items[i - 1];
    return new DynUNetSkipLayer(down, this.level(i + 1), upsamples.items.at(-1 - i)!, head, this.heads);
  }

  forward(x: Tensor): Tensor {
    const { spatialDims, inChannels, strides } = this.options;
    expectImage("DynUNet", x, spatialDims, inChannels);
    expectMultiples("DynUNet", x, strideProducts("DynUNet", strides, spatialDims));
    this.heads.length = 0;
    const y = this.output_block.forward(this.skip_layers.forward(x));
    const heads = this.heads.splice(0);
    if (heads.length === 0) return y;
    return stack([y, ...heads.map((h) => interpolate(h, { size: y.shape.slice(2) }))], 1);
  }
}

function expectLists(options: DynUNetOptions): void {
  const { spatialDims, kernelSize, strides, upsampleKernelSize, filters, deepSupervision, deepSuprNum = 1 } = options;
  expectSpatialDims("DynUNet", spatialDims);
  const levels = strides.length;
  if (levels < 3 || kernelSize.length !== levels) {
    throw new ShapeError(
      `DynUNet: kernelSize and strides must be lists of one length, at least 3, got ${kernelSize.length} and ${levels}`,
    );
  }
  if (upsampleKernelSize.length !== levels - 1)
    throw new ShapeError(
      `DynUNet: ${levels} levels need ${levels - 1} entries in upsampleKernelSize, got ${upsampleKernelSize.length}`,
    );
  if (filters && filters.length < levels)
    throw new ShapeError(`DynUNet: filters must have at least ${levels} entries, got ${showShape(filters)}`);
  if (deepSupervision && !(Number.isInteger(deepSuprNum) && deepSuprNum >= 1 && deepSuprNum < levels - 1))
    throw new ConfigError(`DynUNet: deepSuprNum must be from 1 to ${levels - 2} for ${levels} levels, got ${deepSuprNum}`);
}

/** Kaiming normal weights and zero biases, as MONAI: not in 1-D. */
function initialize(module: Module): void {
  for (const layer of module.modules()) {
    if (!(layer instanceof ConvLayer) || layer.weight.rank <= 3) continue;
    kaimingNormalInit(layer.weight, 0.01);
    const { bias } = layer;
    if (bias) bias.device.write(bias, { data: new Float32Array(bias.size), shape: bias.shape });
  }
}
