/** @file nnU-Net's standard network (Isensee et al. 2021): `PlainConvUNet` of the package `dynamic_network_architectures`. */

import { expectDevice } from "../../tensor/kind.ts";
import { Module, Sequential } from "../../nn/module.ts";
import { ModuleList } from "../../nn/layers/module_list.ts";
import type { Device } from "../../tensor/device.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { StackedConvBlocks } from "./nnunet_blocks.ts";
import {
  initializeHe,
  NnUNet,
  type NnUNetOptions,
  perStage,
  type Stages,
  stagesOf,
  UNetDecoder,
  nnUNetNames,
} from "./nnunet_parts.ts";
import { expectOptions } from "../../host/options.ts";

/** Options of `PlainConvUNet`. */
export interface PlainConvUNetOptions extends NnUNetOptions {
  /** Convolutions of each encoder stage, or one number for all. */
  readonly nConvPerStage: number | readonly number[];
  /** Activation before norm; default false. */
  readonly nonlinFirst?: boolean;
}

class PlainConvEncoder extends Module {
  readonly stages: ModuleList<Sequential>;

  constructor(device: Device, inChannels: number, convs: readonly number[], of: Stages) {
    super();
    const { features, kernels, strides, style } = of;
    this.stages = new ModuleList(
      features.map((outChannels, s) => {
        const from = s === 0 ? inChannels : features[s - 1];
        const block = { ...style, inChannels: from, outChannels, kernelSize: kernels[s], stride: strides[s] };
        return new Sequential([new StackedConvBlocks(device, { ...block, count: convs[s] })]);
      }),
    );
  }

  encode(x: Tensor): Tensor[] {
    const out: Tensor[] = [];
    for (const stage of this.stages.items) out.push(stage.forward(out.at(-1) ?? x));
    return out;
  }

  forward(x: Tensor): Tensor {
    return this.encode(x).at(-1)!;
  }
}

/**
 * nnU-Net's U-Net: stages of convolutions, the first of each strided, and a decoder with a segmentation head per stage (`forwardAll`). State-
 * dict names are the original's, with each block under both its names and the encoder once more inside of the decoder. Initial weights are
 * PyTorch's defaults; `initialize` draws nnU-Net's.
 * @throws ConfigError for options that do not fit, ShapeError for kernels or strides of another number of axes
 */
export class PlainConvUNet extends NnUNet {
  /** @internal */
  readonly encoder: PlainConvEncoder;
  /** @internal */
  readonly decoder: UNetDecoder;

  constructor(device: Device, options: PlainConvUNetOptions) {
    expectOptions("PlainConvUNet", options, `nConvPerStage nonlinFirst ${nnUNetNames}`);
    expectDevice("PlainConvUNet", device);
    const op = "PlainConvUNet";
    const stages = stagesOf(op, options, options.nonlinFirst);
    super(op, stages, options.inChannels);
    const convs = perStage(op, "nConvPerStage", options.nConvPerStage, options.nStages);
    const up = perStage(op, "nConvPerStageDecoder", options.nConvPerStageDecoder, options.nStages - 1);
    this.encoder = new PlainConvEncoder(device, options.inChannels, convs, stages);
    this.decoder = new UNetDecoder(device, this.encoder, up, options.outChannels, stages);
  }

  /** Draws the weights as nnU-Net does before training. */
  initialize(): this {
    initializeHe(this);
    return this;
  }
}
