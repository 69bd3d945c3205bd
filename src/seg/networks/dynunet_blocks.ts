/** @file The blocks of MONAI's DynUNet: two convolutions with norm and activation, plain or residual, the upsampling one, and the head. */

import { expectDevice } from "../../tensor/kind.ts";
import { concat } from "../../autograd/view.ts";
import { activationLayer, type ActivationSpec } from "../../nn/layers/activation.ts";
import { Convolution } from "../../nn/layers/blocks.ts";
import type { DropoutSpec } from "../../nn/layers/dropout.ts";
import { inSequence, inSequencePlus, Module } from "../../nn/module.ts";
import { normLayer, type NormSpec } from "../../nn/layers/norm.ts";
import type { Device } from "../../tensor/device.ts";
import { ShapeError } from "../../host/errors.ts";
import { expectOptions } from "../../host/options.ts";
import { type Spatial, spatial } from "../../host/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/** Options of `UnetOutBlock`. */
export interface UnetOutBlockOptions {
  /** Number of spatial axes. */
  readonly spatialDims: 1 | 2 | 3;
  /** Channels of the input. */
  readonly inChannels: number;
  /** Channels of the output. */
  readonly outChannels: number;
  /** Rate, or the kind of dropout with it; after every convolution. */
  readonly dropout?: DropoutSpec;
}

/** Options of `UnetBasicBlock`, `UnetResBlock`. */
export interface UnetBlockOptions extends UnetOutBlockOptions {
  /** Elements of the kernels along each spatial axis, or one number for all. */
  readonly kernelSize: Spatial;
  /** Step of the first convolution. */
  readonly stride: Spatial;
  /** Norm behind each convolution. */
  readonly normName: NormSpec;
  /** Default leaky ReLU of slope 0.01. */
  readonly actName?: ActivationSpec;
}

const unetBlockNames =
  "kernelSize:spread! stride:spread! normName actName spatialDims:number! inChannels:number! outChannels:number! dropout";

interface ConvolutionSettings extends UnetOutBlockOptions {
  readonly kernelSize: Spatial;
  readonly stride: Spatial;
  readonly bias?: boolean;
  readonly isTransposed?: boolean;
}

/** With padding ⌊(kernel − stride + 1) / 2⌋. Throws `ShapeError` where that would be negative. */
function convolution(device: Device, settings: ConvolutionSettings): Convolution {
  const { spatialDims, stride, bias = false, isTransposed = false, ...rest } = settings;
  const kernelSize = spatial("DynUNet", "kernelSize", settings.kernelSize, spatialDims, 1);
  const strides = spatial("DynUNet", "stride", stride, spatialDims, 1);
  const twice = kernelSize.map((k, i) => k - strides[i] + 1);
  if (twice.some((p) => p < 0))
    throw new ShapeError(
      `DynUNet: kernel [${kernelSize}] is too small for stride [${strides}]; a stride may be one more at most`,
    );
  const padding = twice.map((p) => Math.floor(p / 2));
  const outputPadding = padding.map((p, i) => 2 * p + strides[i] - kernelSize[i]);
  if (isTransposed && outputPadding.some((p) => p < 0))
    throw new ShapeError(`DynUNet: a transposed kernel [${kernelSize}] does not fit stride [${strides}]`);
  return new Convolution(device, {
    ...rest,
    spatialDims,
    kernelSize,
    strides,
    padding,
    bias,
    isTransposed,
    act: null,
    norm: null,
    ...(isTransposed ? { outputPadding } : {}),
  });
}

/** conv, norm, act, conv, norm, act; `[N, in, size…]` → `[N, out, size / stride…]`. Throws `ShapeError`, `ConfigError`. */
export class UnetBasicBlock extends Module {
  /** The strided convolution. */
  readonly conv1: Convolution;
  /** The second convolution. */
  readonly conv2: Convolution;
  /** The activation, whatever it is. */
  readonly lrelu: Module;
  /** Behind the first convolution. */
  readonly norm1: Module;
  /** Behind the second one. */
  readonly norm2: Module;

  constructor(device: Device, options: UnetBlockOptions) {
    expectOptions("UnetBasicBlock", options, unetBlockNames);
    expectDevice("UnetBasicBlock", device);
    super();
    const { outChannels, normName, actName = ["LEAKYRELU", { negativeSlope: 0.01 }] } = options;
    const { spatialDims, kernelSize, dropout } = options;
    this.conv1 = convolution(device, { ...shared(options), kernelSize, stride: options.stride });
    this.conv2 = convolution(device, { spatialDims, inChannels: outChannels, outChannels, dropout, kernelSize, stride: 1 });
    this.lrelu = activationLayer(device, actName);
    this.norm1 = normLayer(device, normName, outChannels);
    this.norm2 = normLayer(device, normName, outChannels);
  }

  forward(x: Tensor): Tensor {
    return inSequence(x, ...this.path, this.lrelu);
  }

  /** Up to the second norm. */
  protected get path(): readonly Module[] {
    return [this.conv1, this.norm1, this.lrelu, this.conv2, this.norm2];
  }
}

const shared = ({ spatialDims, inChannels, outChannels, dropout }: UnetOutBlockOptions): UnetOutBlockOptions => ({
  spatialDims,
  inChannels,
  outChannels,
  dropout,
});

/** The basic block with its input, convolved where size or channels change, added before the last activation. */
export class UnetResBlock extends UnetBasicBlock {
  /** Convolution of the input; undefined where it is added as it is. */
  readonly conv3: Convolution | undefined;
  /** Behind that. */
  readonly norm3: Module | undefined;

  constructor(device: Device, options: UnetBlockOptions) {
    expectOptions("UnetResBlock", options, unetBlockNames);
    expectDevice("UnetResBlock", device);
    super(device, options);
    const { spatialDims, inChannels, outChannels, normName, stride } = options;
    const strided = spatial("DynUNet", "stride", stride, spatialDims, 1).some((s) => s !== 1);
    if (inChannels === outChannels && !strided) return;
    this.conv3 = convolution(device, { ...shared(options), kernelSize: 1, stride });
    this.norm3 = normLayer(device, normName, outChannels);
  }

  override forward(x: Tensor): Tensor {
    const residual = this.conv3 && this.norm3 ? this.norm3.forward(this.conv3.forward(x)) : x;
    return inSequencePlus(x, this.path, residual, this.lrelu);
  }
}

/** Options of `UnetUpBlock`. */
export interface UnetUpBlockOptions extends Omit<UnetBlockOptions, "stride"> {
  /** Kernel and stride of the transposed convolution. */
  readonly upsampleKernelSize: Spatial;
  /** Whether the transposed convolution has a bias; default false. */
  readonly transBias?: boolean;
}

/** Transposed convolution, the encoder's features beside it, a basic block. Throws `ShapeError`, `ConfigError`. */
export class UnetUpBlock extends Module {
  /** Enlarges what comes from below. */
  readonly transp_conv: Convolution;
  /** Works on both side by side. */
  readonly conv_block: UnetBasicBlock;

  constructor(device: Device, options: UnetUpBlockOptions) {
    expectOptions(
      "UnetUpBlock",
      options,
      "upsampleKernelSize:spread! transBias kernelSize:spread! spatialDims:number! inChannels:number! outChannels:number! dropout normName actName",
    );
    expectDevice("UnetUpBlock", device);
    super();
    const { upsampleKernelSize: up, transBias, ...block } = options;
    const { outChannels } = options;
    this.transp_conv = convolution(device, {
      ...shared(options),
      kernelSize: up,
      stride: up,
      bias: transBias,
      isTransposed: true,
    });
    this.conv_block = new UnetBasicBlock(device, { ...block, inChannels: 2 * outChannels, stride: 1 });
  }

  /** `[N, in, size…]` and `[N, out, size·upsampleKernelSize…]` → the latter's shape. */
  forward(x: Tensor, skip: Tensor): Tensor {
    return this.conv_block.forward(concat([this.transp_conv.forward(x), skip], 1));
  }
}

/** A convolution of kernel 1 with bias. */
export class UnetOutBlock extends Module {
  /** The convolution. */
  readonly conv: Convolution;

  constructor(device: Device, options: UnetOutBlockOptions) {
    expectOptions("UnetOutBlock", options, "spatialDims:number! inChannels:number! outChannels:number! dropout");
    expectDevice("UnetOutBlock", device);
    super();
    this.conv = convolution(device, { ...shared(options), kernelSize: 1, stride: 1, bias: true });
  }

  forward(x: Tensor): Tensor {
    return this.conv.forward(x);
  }
}
