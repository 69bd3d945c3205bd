/** @file V-Net (Milletari et al. 2016) as MONAI builds it: residual stages of 5-wide convolutions, batch norm outside of the activations. */

import { expectDevice } from "../../tensor/kind.ts";
import { add } from "../../autograd/pointwise.ts";
import { tile } from "../../autograd/repeat.ts";
import { concat } from "../../autograd/view.ts";
import { activationLayer, type ActivationSpec } from "../../nn/layers/activation.ts";
import { Convolution } from "../../nn/layers/blocks.ts";
import { Conv, ConvTranspose } from "../../nn/layers/conv.ts";
import { Dropout } from "../../nn/layers/dropout.ts";
import { expectImage, Module, Sequential } from "../../nn/module.ts";
import { BatchNorm } from "../../nn/layers/norm.ts";
import type { Device } from "../../tensor/device.ts";
import { ConfigError, ShapeError } from "../../host/errors.ts";
import { expectOptions } from "../../host/options.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { expectMultiples, expectSpatialDims } from "./checks.ts";

/** Options of `VNet`. */
export interface VNetOptions {
  /** Default 3. */
  readonly spatialDims?: 2 | 3;
  /** A divisor of 16; default 1. */
  readonly inChannels?: number;
  /** Default 1. */
  readonly outChannels?: number;
  /** Default "ELU"; "prelu" in lower case has, as in MONAI, a slope for every channel, where "PRELU" has one. */
  readonly act?: ActivationSpec | "prelu";
  /** Rate in the two lowest encoder stages; default 0.5, null for none. */
  readonly dropoutProbDown?: number | null;
  /**
   * Rates in the decoder: of what comes from below, in its two lowest stages (null for none), and of the skips, in every stage; default
   * [0.5, 0.5]. MONAI holds the second at 0.5 in the two upper stages, whatever is asked for.
   */
  readonly dropoutProbUp?: readonly [number | null, number];
  /** 1 drops elements, 2 and 3 (default) drop whole channels, in 2-D too: MONAI ignores this and drops whole samples in 2-D. */
  readonly dropoutDim?: 1 | 2 | 3;
  /** Of the convolutions before batch norm on the way down and at both ends; default false. */
  readonly bias?: boolean;
}

type Settings = Required<VNetOptions>;

const activation = (device: Device, { act }: Settings, channels: number): Module =>
  activationLayer(device, act === "prelu" ? ["PRELU", { numParameters: channels }] : act);

const dropout = (device: Device, { dropoutDim }: Settings, rate: number | null): Dropout | undefined =>
  rate === null ? undefined : new Dropout(device, rate, { channels: dropoutDim > 1 });

const wide = (device: Device, { spatialDims }: Settings, inChannels: number, outChannels: number, bias: boolean): Convolution =>
  new Convolution(device, { spatialDims, inChannels, outChannels, kernelSize: 5, act: null, norm: "BATCH", bias });

class LUConv extends Module {
  readonly act_function: Module;
  readonly conv_block: Convolution;

  constructor(device: Device, settings: Settings, channels: number, bias: boolean) {
    super();
    this.act_function = activation(device, settings, channels);
    this.conv_block = wide(device, settings, channels, channels, bias);
  }

  forward(x: Tensor): Tensor {
    return this.act_function.forward(this.conv_block.forward(x));
  }
}

const chain = (device: Device, settings: Settings, channels: number, count: number, bias: boolean): Sequential =>
  new Sequential(Array.from({ length: count }, () => new LUConv(device, settings, channels, bias)));

class InputTransition extends Module {
  readonly act_function: Module;
  readonly conv_block: Convolution;
  private readonly repeats: number;

  constructor(device: Device, settings: Settings, outChannels: number) {
    super();
    const { inChannels, bias } = settings;
    if (outChannels % inChannels !== 0)
      throw new ShapeError(
        `VNet: inChannels must divide ${outChannels}, because the input is repeated to that, got ${inChannels}`,
      );
    this.repeats = outChannels / inChannels;
    this.act_function = activation(device, settings, outChannels);
    this.conv_block = wide(device, settings, inChannels, outChannels, bias);
  }

  forward(x: Tensor): Tensor {
    const copies = tile(x, [1, this.repeats, ...x.shape.slice(2).map(() => 1)]);
    return this.act_function.forward(add(this.conv_block.forward(x), copies));
  }
}

class DownTransition extends Module {
  readonly down_conv: Conv;
  readonly bn1: BatchNorm;
  readonly act_function1: Module;
  readonly act_function2: Module;
  readonly ops: Sequential;
  readonly dropout: Dropout | undefined;

  constructor(device: Device, settings: Settings, inChannels: number, count: number, rate: number | null) {
    super();
    const { spatialDims, bias } = settings;
    const outChannels = 2 * inChannels;
    this.down_conv = new Conv(device, { spatialDims, inChannels, outChannels, kernelSize: 2, stride: 2, bias });
    this.bn1 = new BatchNorm(device, outChannels);
    this.act_function1 = activation(device, settings, outChannels);
    this.act_function2 = activation(device, settings, outChannels);
    this.ops = chain(device, settings, outChannels, count, bias);
    this.dropout = dropout(device, settings, rate);
  }

  forward(x: Tensor): Tensor {
    const down = this.act_function1.forward(this.bn1.forward(this.down_conv.forward(x)));
    const out = this.ops.forward(this.dropout?.forward(down) ?? down);
    return this.act_function2.forward(add(out, down));
  }
}

class UpTransition extends Module {
  readonly up_conv: ConvTranspose;
  readonly bn1: BatchNorm;
  readonly dropout: Dropout | undefined;
  readonly dropout2: Dropout;
  readonly act_function1: Module;
  readonly act_function2: Module;
  readonly ops: Sequential;

  constructor(device: Device, settings: Settings, inChannels: number, outChannels: number, count: number, rate: number | null) {
    super();
    const { spatialDims, dropoutProbUp, dropoutDim } = settings;
    const half = outChannels / 2;
    this.up_conv = new ConvTranspose(device, { spatialDims, inChannels, outChannels: half, kernelSize: 2, stride: 2 });
    this.bn1 = new BatchNorm(device, half);
    this.dropout = dropout(device, settings, rate);
    this.dropout2 = new Dropout(device, dropoutProbUp[1], { channels: dropoutDim > 1 });
    this.act_function1 = activation(device, settings, half);
    this.act_function2 = activation(device, settings, outChannels);
    this.ops = chain(device, settings, outChannels, count, false);
  }

  forward(x: Tensor, skip: Tensor): Tensor {
    const up = this.act_function1.forward(this.bn1.forward(this.up_conv.forward(this.dropout?.forward(x) ?? x)));
    const both = concat([up, this.dropout2.forward(skip)], 1);
    return this.act_function2.forward(add(this.ops.forward(both), both));
  }
}

class OutputTransition extends Module {
  readonly act_function1: Module;
  readonly conv_block: Convolution;
  readonly conv2: Conv;

  constructor(device: Device, settings: Settings, inChannels: number) {
    super();
    const { spatialDims, outChannels, bias } = settings;
    this.act_function1 = activation(device, settings, outChannels);
    this.conv_block = wide(device, settings, inChannels, outChannels, bias);
    this.conv2 = new Conv(device, { spatialDims, inChannels: outChannels, outChannels, kernelSize: 1 });
  }

  forward(x: Tensor): Tensor {
    return this.conv2.forward(this.act_function1.forward(this.conv_block.forward(x)));
  }
}

/**
 * `[N, in, …]` → `[N, out, …]` logits; sizes are multiples of 16. State-dict names are MONAI's (`in_tr.conv_block.conv.weight`,
 * `down_tr32.ops.0.conv_block.conv.weight` …), and with the same seed so are the initial weights. Dropout differs from MONAI where MONAI's own
 * options have no effect, see `dropoutDim` and `dropoutProbUp`.
 * @throws ConfigError for unknown options, ShapeError for channels or inputs that do not fit
 */
export class VNet extends Module {
  private readonly in_tr: InputTransition;
  private readonly down_tr32: DownTransition;
  private readonly down_tr64: DownTransition;
  private readonly down_tr128: DownTransition;
  private readonly down_tr256: DownTransition;
  private readonly up_tr256: UpTransition;
  private readonly up_tr128: UpTransition;
  private readonly up_tr64: UpTransition;
  private readonly up_tr32: UpTransition;
  private readonly out_tr: OutputTransition;
  private readonly options: Settings;

  constructor(device: Device, options: VNetOptions = {}) {
    expectOptions(
      "VNet",
      options,
      "spatialDims:number inChannels:number outChannels:number act dropoutProbDown dropoutProbUp:list dropoutDim bias:boolean",
    );
    expectDevice("VNet", device);
    super();
    const settings: Settings = {
      spatialDims: options.spatialDims ?? 3,
      inChannels: options.inChannels ?? 1,
      outChannels: options.outChannels ?? 1,
      act: options.act ?? "ELU",
      dropoutProbDown: options.dropoutProbDown === undefined ? 0.5 : options.dropoutProbDown,
      dropoutProbUp: options.dropoutProbUp ?? [0.5, 0.5],
      dropoutDim: options.dropoutDim ?? 3,
      bias: options.bias ?? false,
    };
    const { spatialDims, dropoutDim, dropoutProbDown: down, dropoutProbUp } = settings;
    expectSpatialDims("VNet", spatialDims, [2, 3]);
    if (![1, 2, 3].includes(dropoutDim)) throw new ConfigError(`VNet: dropoutDim must be 1, 2 or 3, got ${String(dropoutDim)}`);
    this.options = settings;
    const [up] = dropoutProbUp;
    this.in_tr = new InputTransition(device, settings, 16);
    this.down_tr32 = new DownTransition(device, settings, 16, 1, null);
    this.down_tr64 = new DownTransition(device, settings, 32, 2, null);
    this.down_tr128 = new DownTransition(device, settings, 64, 3, down);
    this.down_tr256 = new DownTransition(device, settings, 128, 2, down);
    this.up_tr256 = new UpTransition(device, settings, 256, 256, 2, up);
    this.up_tr128 = new UpTransition(device, settings, 256, 128, 2, up);
    this.up_tr64 = new UpTransition(device, settings, 128, 64, 1, null);
    this.up_tr32 = new UpTransition(device, settings, 64, 32, 1, null);
    this.out_tr = new OutputTransition(device, settings, 32);
  }

  forward(x: Tensor): Tensor {
    const { spatialDims, inChannels } = this.options;
    expectImage("VNet", x, spatialDims, inChannels);
    expectMultiples("VNet", x, new Array<number>(spatialDims).fill(16));
    const out16 = this.in_tr.forward(x);
    const out32 = this.down_tr32.forward(out16);
    const out64 = this.down_tr64.forward(out32);
    const out128 = this.down_tr128.forward(out64);
    const out256 = this.down_tr256.forward(out128);
    const up256 = this.up_tr256.forward(out256, out128);
    const up128 = this.up_tr128.forward(up256, out64);
    const up64 = this.up_tr64.forward(up128, out32);
    return this.out_tr.forward(this.up_tr32.forward(up64, out16));
  }
}
