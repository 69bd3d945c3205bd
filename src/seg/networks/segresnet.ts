/** @file SegResNet (Myronenko 2018, without its autoencoder branch) as MONAI builds it: pre-activation residual blocks, skips that add. */

import { expectDevice } from "../../tensor/kind.ts";
import { add } from "../../autograd/pointwise.ts";
import { activationLayer, type ActivationSpec } from "../../nn/layers/activation.ts";
import { Convolution } from "../../nn/layers/blocks.ts";
import { Dropout } from "../../nn/layers/dropout.ts";
import { expectImage, Identity, inSequencePlus, Module, Sequential } from "../../nn/module.ts";
import { ModuleList } from "../../nn/layers/module_list.ts";
import { normLayer, type NormSpec } from "../../nn/layers/norm.ts";
import { UpsampleBlock, type UpsampleMode } from "../../nn/layers/upsample_block.ts";
import type { Device } from "../../tensor/device.ts";
import { ShapeError } from "../../host/errors.ts";
import { expectOptions } from "../../host/options.ts";
import { showShape } from "../../host/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { expectMultiples, expectSpatialDims } from "./checks.ts";

/** Options of `SegResNet`. */
export interface SegResNetOptions {
  /** Default 3. */
  readonly spatialDims?: 2 | 3;
  /** Channels of the first level, doubled at each further one; default 8. */
  readonly initFilters?: number;
  /** Default 1. */
  readonly inChannels?: number;
  /** Default 2. */
  readonly outChannels?: number;
  /** Rate for whole channels after the first convolution; none if absent or null. */
  readonly dropoutProb?: number | null;
  /** Default "RELU". */
  readonly act?: ActivationSpec;
  /** Default group norm with 8 groups. */
  readonly norm?: NormSpec;
  /** Norm, activation and the convolution to `outChannels` at the end; without, the result has `initFilters` channels. Default true. */
  readonly useConvFinal?: boolean;
  /** Residual blocks of each encoder level; default 1, 2, 2, 4. */
  readonly blocksDown?: readonly number[];
  /** Residual blocks of each decoder level, one level less; default 1, 1, 1. */
  readonly blocksUp?: readonly number[];
  /** Default "nontrainable": linear interpolation. */
  readonly upsampleMode?: UpsampleMode;
}

type Settings = Required<SegResNetOptions>;

interface ConvSettings {
  readonly kernelSize?: number;
  readonly strides?: number;
  readonly bias?: boolean;
}

function convolution(
  device: Device,
  { spatialDims }: Settings,
  inChannels: number,
  outChannels: number,
  more: ConvSettings = {},
) {
  return new Convolution(device, { spatialDims, inChannels, outChannels, bias: false, convOnly: true, ...more });
}

class ResBlock extends Module {
  readonly norm1: Module;
  readonly norm2: Module;
  readonly act: Module;
  readonly conv1: Convolution;
  readonly conv2: Convolution;

  constructor(device: Device, settings: Settings, channels: number) {
    super();
    const { norm, act } = settings;
    this.norm1 = normLayer(device, norm, channels);
    this.norm2 = normLayer(device, norm, channels);
    this.act = activationLayer(device, act);
    this.conv1 = convolution(device, settings, channels, channels);
    this.conv2 = convolution(device, settings, channels, channels);
  }

  forward(x: Tensor): Tensor {
    return inSequencePlus(x, [this.norm1, this.act, this.conv1, this.norm2, this.act, this.conv2], x);
  }
}

const blocks = (device: Device, settings: Settings, channels: number, count: number): ResBlock[] =>
  Array.from({ length: count }, () => new ResBlock(device, settings, channels));

/**
 * `[N, in, …]` → `[N, out, …]` logits; sizes are multiples of 2^(levels − 1). State-dict names are MONAI's (`convInit.conv.weight`,
 * `down_layers.0.1.conv1.conv.weight` …), and with the same seed so are the initial weights.
 * @throws ConfigError for unknown options, ShapeError for blocks, channels or inputs that do not fit
 */
export class SegResNet extends Module {
  /** The last activation, shared with `conv_final`. */
  readonly act_mod: Module;
  /** First convolution. */
  readonly convInit: Convolution;
  /** Encoder, a level each. */
  readonly down_layers: ModuleList<Sequential>;
  /** Blocks of the decoder, lowest level first. */
  readonly up_layers: ModuleList<Sequential>;
  /** What enlarges before each of them. */
  readonly up_samples: ModuleList<Sequential>;
  /** Norm, activation and the head. */
  readonly conv_final: Sequential;
  /** Behind the first convolution; undefined without. */
  readonly dropout: Dropout | undefined;
  private readonly options: Settings;

  constructor(device: Device, options: SegResNetOptions = {}) {
    expectOptions(
      "SegResNet",
      options,
      "spatialDims:number initFilters:number inChannels:number outChannels:number dropoutProb act norm useConvFinal:boolean blocksDown:numbers blocksUp:numbers upsampleMode",
    );
    expectDevice("SegResNet", device);
    super();
    const settings: Settings = {
      spatialDims: options.spatialDims ?? 3,
      initFilters: options.initFilters ?? 8,
      inChannels: options.inChannels ?? 1,
      outChannels: options.outChannels ?? 2,
      dropoutProb: options.dropoutProb ?? null,
      act: options.act ?? "RELU",
      norm: options.norm ?? ["GROUP", { numGroups: 8 }],
      useConvFinal: options.useConvFinal ?? true,
      blocksDown: options.blocksDown ?? [1, 2, 2, 4],
      blocksUp: options.blocksUp ?? [1, 1, 1],
      upsampleMode: options.upsampleMode ?? "nontrainable",
    };
    const { spatialDims, initFilters, inChannels, outChannels, dropoutProb, act, norm, blocksDown, blocksUp } = settings;
    expectSpatialDims("SegResNet", spatialDims, [2, 3]);
    if (blocksUp.length !== blocksDown.length - 1) {
      throw new ShapeError(
        `SegResNet: blocksUp must have one level less than blocksDown, got ${showShape(blocksUp)} and ${showShape(blocksDown)}`,
      );
    }
    this.options = settings;
    this.act_mod = activationLayer(device, act);
    this.convInit = convolution(device, settings, inChannels, initFilters);
    this.down_layers = new ModuleList(
      blocksDown.map((count, i) => {
        const channels = initFilters * 2 ** i;
        const first = i === 0 ? new Identity() : convolution(device, settings, channels / 2, channels, { strides: 2 });
        return new Sequential([first, ...blocks(device, settings, channels, count)]);
      }),
    );
    const ups = blocksUp.map((count, i) => {
      const channels = initFilters * 2 ** (blocksUp.length - 1 - i);
      return [
        new Sequential(blocks(device, settings, channels, count)),
        new Sequential([
          convolution(device, settings, 2 * channels, channels, { kernelSize: 1 }),
          new UpsampleBlock(device, {
            spatialDims,
            inChannels: channels,
            outChannels: channels,
            mode: settings.upsampleMode,
            alignCorners: false,
          }),
        ]),
      ] as const;
    });
    this.up_layers = new ModuleList(ups.map(([layer]) => layer));
    this.up_samples = new ModuleList(ups.map(([, sample]) => sample));
    this.conv_final = new Sequential([
      normLayer(device, norm, initFilters),
      this.act_mod,
      convolution(device, settings, initFilters, outChannels, { kernelSize: 1, bias: true }),
    ]);
    this.dropout = dropoutProb === null ? undefined : new Dropout(device, dropoutProb, { channels: true });
  }

  forward(x: Tensor): Tensor {
    const { spatialDims, inChannels, blocksUp, useConvFinal } = this.options;
    expectImage("SegResNet", x, spatialDims, inChannels);
    expectMultiples("SegResNet", x, new Array<number>(spatialDims).fill(2 ** blocksUp.length));
    const first = this.convInit.forward(x);
    let y = this.dropout?.forward(first) ?? first;
    const skips = this.down_layers.items.map((layer) => (y = layer.forward(y)));
    this.up_layers.items.forEach((layer, i) => {
      const up = this.up_samples.items[i].forward(y);
      y = layer.forward(add(up, skips.at(-2 - i)!));
    });
    return useConvFinal ? this.conv_final.forward(y) : y;
  }
}
