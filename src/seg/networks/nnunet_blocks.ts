/**
 * @file Convolution and residual blocks of nnU-Net's package `dynamic_network_architectures`. A block's layers stand in its state dict twice,
 * by name and under `all_modules`, as in the original; the tensors are the same.
 */

import { add } from "../../autograd/pointwise.ts";
import { activationLayer, type ActivationSpec } from "../../nn/layers/activation.ts";
import { Conv } from "../../nn/layers/conv.ts";
import { Dropout } from "../../nn/layers/dropout.ts";
import { Identity, Module, Sequential } from "../../nn/module.ts";
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

/** Convolution with "same" padding for odd kernels, dropout, norm and activation. */
export class ConvDropoutNormReLU extends Module {
  readonly conv: Conv;
  readonly dropout: Dropout | undefined;
  readonly norm: Module | undefined;
  readonly nonlin: Module | undefined;
  readonly all_modules: Sequential;

  constructor(device: Device, inChannels: number, outChannels: number, kernel: Spatial, stride: Spatial, style: BlockStyle) {
    super();
    const { spatialDims, norm, nonlin, dropout, convBias: bias } = style;
    const kernelSize = spatial("ConvDropoutNormReLU", "kernelSize", kernel, spatialDims, 1);
    const padding = kernelSize.map((k) => Math.floor((k - 1) / 2));
    this.conv = new Conv(device, { spatialDims, inChannels, outChannels, kernelSize, stride, padding, bias });
    this.dropout = dropout > 0 ? new Dropout(device, dropout, { channels: true }) : undefined;
    this.norm = norm ? normLayer(device, norm, outChannels) : undefined;
    this.nonlin = nonlin ? activationLayer(device, nonlin) : undefined;
    const last = style.nonlinFirst ? [this.nonlin, this.norm] : [this.norm, this.nonlin];
    this.all_modules = new Sequential([this.conv, this.dropout, ...last].filter((m) => m !== undefined));
  }

  forward(x: Tensor): Tensor {
    return this.all_modules.forward(x);
  }
}

/** Convolution blocks one after the other, the first one strided. */
export class StackedConvBlocks extends Module {
  readonly convs: Sequential;

  constructor(
    device: Device,
    count: number,
    inChannels: number,
    outChannels: number,
    kernel: Spatial,
    stride: Spatial,
    style: BlockStyle,
  ) {
    super();
    if (!Number.isInteger(count) || count < 1) {
      throw new ConfigError(`StackedConvBlocks: a stage needs at least one convolution, got ${count}`);
    }
    this.convs = new Sequential(
      Array.from({ length: count }, (_, i) => {
        const first = i === 0;
        return new ConvDropoutNormReLU(device, first ? inChannels : outChannels, outChannels, kernel, first ? stride : 1, style);
      }),
    );
  }

  forward(x: Tensor): Tensor {
    return this.convs.forward(x);
  }
}

/** ResNet-D's shortcut (He et al. 2019): average pooling if strided, then a 1×1 convolution with norm if the channels change. */
function shortcut(
  device: Device,
  inChannels: number,
  outChannels: number,
  stride: Spatial,
  style: BlockStyle,
): Module | undefined {
  const steps = spatial("shortcut", "stride", stride, style.spatialDims, 1);
  const layers: Module[] = [];
  if (steps.some((s) => s !== 1)) layers.push(new AvgPool({ kernelSize: steps, stride: steps }));
  if (inChannels !== outChannels) {
    const plain = { ...style, convBias: false, nonlin: null, dropout: 0, nonlinFirst: false };
    layers.push(new ConvDropoutNormReLU(device, inChannels, outChannels, 1, 1, plain));
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
    const out = this.path().reduce((t, layer) => layer.forward(t), x);
    return this.act().forward(add(out, residual));
  }
}

const afterSum = (device: Device, { nonlin }: BlockStyle): Module => (nonlin ? activationLayer(device, nonlin) : new Identity());
const bare = (style: BlockStyle): BlockStyle => ({ ...style, nonlin: null, dropout: 0, nonlinFirst: false });

/** Two convolutions, the first one strided; dropout behind the first one only. */
export class BasicBlockD extends ResidualBlock {
  readonly conv1: ConvDropoutNormReLU;
  readonly conv2: ConvDropoutNormReLU;
  readonly nonlin2: Module;
  readonly skip: Module | undefined;

  constructor(device: Device, inChannels: number, outChannels: number, kernel: Spatial, stride: Spatial, style: BlockStyle) {
    super();
    this.conv1 = new ConvDropoutNormReLU(device, inChannels, outChannels, kernel, stride, style);
    this.conv2 = new ConvDropoutNormReLU(device, outChannels, outChannels, kernel, 1, bare(style));
    this.nonlin2 = afterSum(device, style);
    this.skip = shortcut(device, inChannels, outChannels, stride, style);
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

  constructor(
    device: Device,
    inChannels: number,
    bottleneck: number,
    outChannels: number,
    kernel: Spatial,
    stride: Spatial,
    style: BlockStyle,
  ) {
    super();
    this.conv1 = new ConvDropoutNormReLU(device, inChannels, bottleneck, 1, 1, { ...style, dropout: 0 });
    this.conv2 = new ConvDropoutNormReLU(device, bottleneck, bottleneck, kernel, stride, style);
    this.conv3 = new ConvDropoutNormReLU(device, bottleneck, outChannels, 1, 1, bare(style));
    this.nonlin3 = afterSum(device, style);
    this.skip = shortcut(device, inChannels, outChannels, stride, style);
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
  constructor(
    device: Device,
    count: number,
    inChannels: number,
    outChannels: number,
    kernel: Spatial,
    stride: Spatial,
    style: BlockStyle,
    bottleneck?: number,
  ) {
    super();
    if (!Number.isInteger(count) || count < 1) {
      throw new ConfigError(`StackedResidualBlocks: a stage needs at least one block, got ${count}`);
    }
    this.blocks = new Sequential(
      Array.from({ length: count }, (_, i) => {
        const [from, step] = i === 0 ? [inChannels, stride] : [outChannels, 1];
        return bottleneck === undefined
          ? new BasicBlockD(device, from, outChannels, kernel, step, style)
          : new BottleneckD(device, from, bottleneck, outChannels, kernel, step, style);
      }),
    );
  }

  forward(x: Tensor): Tensor {
    return this.blocks.forward(x);
  }
}
