/**
 * @file Convolution and residual blocks of nnU-Net's package `dynamic_network_architectures`. A block's layers stand in its state dict twice,
 * by name and under `all_modules`, as in the original; the tensors are the same.
 */

import { activationLayer, type ActivationSpec } from "../../nn/layers/activation.ts";
import { Conv } from "../../nn/layers/conv.ts";
import { Dropout } from "../../nn/layers/dropout.ts";
import { Identity, forwardsAs, inSequencePlus, Module, Sequential } from "../../nn/module.ts";
import { normLayer, type NormSpec } from "../../nn/layers/norm.ts";
import { AvgPool } from "../../nn/layers/pool.ts";
import type { Device } from "../../tensor/device.ts";
import { ConfigError } from "../../host/errors.ts";
import { type Spatial, spatial } from "../../host/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/** What all blocks of a network share. */
export interface BlockStyle {
  readonly spatialDims: 1 | 2 | 3;
  readonly convBias: boolean;
  readonly norm: NormSpec | null;
  readonly nonlin: ActivationSpec | null;
  /** Rate of channel dropout behind the convolutions; 0 for none. */
  readonly dropout: number;
  /** Activation before norm. */
  readonly nonlinFirst: boolean;
}

export interface BlockOptions extends BlockStyle {
  readonly inChannels: number;
  readonly outChannels: number;
  readonly kernelSize: Spatial;
  /** Of the first convolution with this kernel. */
  readonly stride: Spatial;
}

export interface StackOptions extends BlockOptions {
  /** Blocks one after the other, the first one strided. */
  readonly count: number;
}

function expectBlocks(op: string, count: number, what: string): void {
  if (Number.isInteger(count) && count >= 1) return;
  throw new ConfigError(`${op}: a stage needs at least one ${what}, got ${count}`);
}

/** The options of block `i` of a stack. */
const ofStack = (options: StackOptions, i: number): BlockOptions =>
  i === 0 ? options : { ...options, inChannels: options.outChannels, stride: 1 };

/** Convolution with "same" padding for odd kernels, dropout, norm and activation. */
class ConvDropoutNormReLU extends Module {
  readonly conv: Conv;
  readonly dropout: Dropout | undefined;
  readonly norm: Module | undefined;
  readonly nonlin: Module | undefined;
  readonly all_modules: Sequential;

  constructor(device: Device, options: BlockOptions) {
    super();
    const { spatialDims, inChannels, outChannels, stride, norm, nonlin, dropout, convBias: bias } = options;
    const kernelSize = spatial("ConvDropoutNormReLU", "kernelSize", options.kernelSize, spatialDims, 1);
    const padding = kernelSize.map((k) => Math.floor((k - 1) / 2));
    this.conv = new Conv(device, { spatialDims, inChannels, outChannels, kernelSize, stride, padding, bias });
    this.dropout = dropout > 0 ? new Dropout(device, dropout, { channels: true }) : undefined;
    this.norm = norm ? normLayer(device, norm, outChannels) : undefined;
    this.nonlin = nonlin ? activationLayer(device, nonlin) : undefined;
    const last = options.nonlinFirst ? [this.nonlin, this.norm] : [this.norm, this.nonlin];
    this.all_modules = new Sequential([this.conv, this.dropout, ...last].filter((m) => m !== undefined));
  }

  forward(x: Tensor): Tensor {
    return this.all_modules.forward(x);
  }

  override forwardPlus(x: Tensor, residual: Tensor, next?: Module): Tensor {
    return forwardsAs(this, ConvDropoutNormReLU)
      ? this.all_modules.forwardPlus(x, residual, next)
      : super.forwardPlus(x, residual, next);
  }
}

/** Convolution blocks one after the other, the first one strided. */
export class StackedConvBlocks extends Module {
  readonly convs: Sequential;

  constructor(device: Device, options: StackOptions) {
    super();
    const { count } = options;
    expectBlocks("StackedConvBlocks", count, "convolution");
    this.convs = new Sequential(Array.from({ length: count }, (_, i) => new ConvDropoutNormReLU(device, ofStack(options, i))));
  }

  forward(x: Tensor): Tensor {
    return this.convs.forward(x);
  }
}

/** ResNet-D's shortcut (He et al. 2019): average pooling if strided, then a 1×1 convolution with norm if the channels change. */
function shortcut(device: Device, options: BlockOptions): Module | undefined {
  const steps = spatial("shortcut", "stride", options.stride, options.spatialDims, 1);
  const layers: Module[] = [];
  if (steps.some((s) => s !== 1)) layers.push(new AvgPool({ kernelSize: steps, stride: steps }));
  if (options.inChannels !== options.outChannels) {
    layers.push(new ConvDropoutNormReLU(device, { ...bare(options), kernelSize: 1, stride: 1, convBias: false }));
  }
  return layers.length > 0 ? new Sequential(layers) : undefined;
}

/** Convolution blocks beside a shortcut, and the activation after their sum. */
abstract class ResidualBlock extends Module {
  abstract readonly skip: Module | undefined;
  protected abstract path(): readonly Module[];
  protected abstract act(): Module;

  forward(x: Tensor): Tensor {
    const residual = this.skip ? this.skip.forward(x) : x;
    return inSequencePlus(x, this.path(), residual, this.act());
  }
}

const afterSum = (device: Device, { nonlin }: BlockStyle): Module => (nonlin ? activationLayer(device, nonlin) : new Identity());
/** Convolution and norm alone. */
const bare = (options: BlockOptions): BlockOptions => ({ ...options, nonlin: null, dropout: 0, nonlinFirst: false });

/** Two convolutions, the first one strided; dropout behind the first one only. */
export class BasicBlockD extends ResidualBlock {
  readonly conv1: ConvDropoutNormReLU;
  readonly conv2: ConvDropoutNormReLU;
  readonly nonlin2: Module;
  readonly skip: Module | undefined;

  constructor(device: Device, options: BlockOptions) {
    super();
    this.conv1 = new ConvDropoutNormReLU(device, options);
    this.conv2 = new ConvDropoutNormReLU(device, { ...bare(options), inChannels: options.outChannels, stride: 1 });
    this.nonlin2 = afterSum(device, options);
    this.skip = shortcut(device, options);
  }

  protected path(): readonly Module[] {
    return [this.conv1, this.conv2];
  }

  protected act(): Module {
    return this.nonlin2;
  }
}

/** 1×1 convolution to fewer channels, the strided one with the kernel, 1×1 back; dropout behind the middle one only. */
export class BottleneckD extends ResidualBlock {
  readonly conv1: ConvDropoutNormReLU;
  readonly conv2: ConvDropoutNormReLU;
  readonly conv3: ConvDropoutNormReLU;
  readonly nonlin3: Module;
  readonly skip: Module | undefined;

  /** @param bottleneck channels between the first and the last convolution */
  constructor(device: Device, bottleneck: number, options: BlockOptions) {
    super();
    const point = { kernelSize: 1, stride: 1 };
    this.conv1 = new ConvDropoutNormReLU(device, { ...options, ...point, outChannels: bottleneck, dropout: 0 });
    this.conv2 = new ConvDropoutNormReLU(device, { ...options, inChannels: bottleneck, outChannels: bottleneck });
    this.conv3 = new ConvDropoutNormReLU(device, { ...bare(options), ...point, inChannels: bottleneck });
    this.nonlin3 = afterSum(device, options);
    this.skip = shortcut(device, options);
  }

  protected path(): readonly Module[] {
    return [this.conv1, this.conv2, this.conv3];
  }

  protected act(): Module {
    return this.nonlin3;
  }
}

/** Residual blocks one after the other, the first one strided. */
export class StackedResidualBlocks extends Module {
  readonly blocks: Sequential;

  /** @param bottleneck channels inside of a `BottleneckD`; undefined for `BasicBlockD` */
  constructor(device: Device, options: StackOptions, bottleneck?: number) {
    super();
    const { count } = options;
    expectBlocks("StackedResidualBlocks", count, "block");
    this.blocks = new Sequential(
      Array.from({ length: count }, (_, i) => {
        const block = ofStack(options, i);
        return bottleneck === undefined ? new BasicBlockD(device, block) : new BottleneckD(device, bottleneck, block);
      }),
    );
  }

  forward(x: Tensor): Tensor {
    return this.blocks.forward(x);
  }
}
