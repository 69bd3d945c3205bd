/** @file nnU-Net's network with a residual encoder (Isensee et al. 2024): `ResidualEncoderUNet` of `dynamic_network_architectures`. */

import { expectDevice } from "../../tensor/kind.ts";
import { Module } from "../../nn/module.ts";
import { ModuleList } from "../../nn/layers/module_list.ts";
import { ChannelNorm } from "../../nn/layers/norm.ts";
import type { Device } from "../../tensor/device.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { BasicBlockD, BottleneckD, StackedConvBlocks, StackedResidualBlocks } from "./nnunet_blocks.ts";
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

/** Options of `ResidualEncoderUNet`. */
export interface ResidualEncoderUNetOptions extends NnUNetOptions {
  /** Residual blocks of each encoder stage, or one number for all. */
  readonly nBlocksPerStage: number | readonly number[];
  /** Channels inside of bottleneck blocks, per stage or for all; without them blocks are of two convolutions. */
  readonly bottleneckChannels?: number | readonly number[];
  /** Channels of the convolution in front; default those of the first stage. */
  readonly stemChannels?: number;
}

class ResidualEncoder extends Module {
  readonly stem: StackedConvBlocks;
  readonly stages: ModuleList<StackedResidualBlocks>;

  constructor(
    device: Device,
    { inChannels, stemChannels }: ResidualEncoderUNetOptions,
    blocks: readonly number[],
    bottlenecks: readonly (number | undefined)[],
    of: Stages,
  ) {
    super();
    const { features, kernels, strides, style } = of;
    const stem = stemChannels ?? features[0];
    const first = { ...style, inChannels, outChannels: stem, kernelSize: kernels[0], stride: 1 };
    this.stem = new StackedConvBlocks(device, { ...first, count: 1 });
    this.stages = new ModuleList(
      features.map((outChannels, s) => {
        const from = s === 0 ? stem : features[s - 1];
        const block = { ...style, inChannels: from, outChannels, kernelSize: kernels[s], stride: strides[s] };
        return new StackedResidualBlocks(device, { ...block, count: blocks[s] }, bottlenecks[s]);
      }),
    );
  }

  encode(x: Tensor): Tensor[] {
    const out: Tensor[] = [];
    for (const stage of this.stages.items) out.push(stage.forward(out.at(-1) ?? this.stem.forward(x)));
    return out;
  }

  forward(x: Tensor): Tensor {
    return this.encode(x).at(-1)!;
  }
}

// The last norm of every block starts at zero, so that each block begins as its shortcut.
function silenceBlocks(module: Module): void {
  for (const block of module.modules()) {
    const last = block instanceof BottleneckD ? block.conv3 : block instanceof BasicBlockD ? block.conv2 : undefined;
    const norm = last?.norm;
    if (!(norm instanceof ChannelNorm)) continue;
    for (const t of [norm.weight, norm.bias]) t?.device.write(t, { data: new Float32Array(t.size), shape: t.shape });
  }
}

/**
 * nnU-Net's U-Net with residual blocks (ResNet-D) in the encoder: the presets ResEnc M, L and XL. Options, state-dict names, `forwardAll` and
 * initial weights as `PlainConvUNet`.
 * @throws ConfigError for options that do not fit, ShapeError for kernels or strides of another number of axes
 */
export class ResidualEncoderUNet extends NnUNet {
  /** @internal */
  readonly encoder: ResidualEncoder;
  /** @internal */
  readonly decoder: UNetDecoder;

  constructor(device: Device, options: ResidualEncoderUNetOptions) {
    expectOptions("ResidualEncoderUNet", options, `nBlocksPerStage bottleneckChannels stemChannels ${nnUNetNames}`);
    expectDevice("ResidualEncoderUNet", device);
    const op = "ResidualEncoderUNet";
    const stages = stagesOf(op, options);
    super(op, stages, options.inChannels);
    const { nStages } = options;
    const blocks = perStage(op, "nBlocksPerStage", options.nBlocksPerStage, nStages);
    const bottlenecks = perStage(op, "bottleneckChannels", options.bottleneckChannels, nStages);
    const up = perStage(op, "nConvPerStageDecoder", options.nConvPerStageDecoder, nStages - 1);
    this.encoder = new ResidualEncoder(device, options, blocks, bottlenecks as (number | undefined)[], stages);
    this.decoder = new UNetDecoder(device, this.encoder, up, options.outChannels, stages);
  }

  /** Draws the weights as nnU-Net does before training. */
  initialize(): this {
    initializeHe(this);
    silenceBlocks(this);
    return this;
  }
}
