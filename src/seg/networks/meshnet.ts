/** @file MeshNet (Fedorov et al. 2017, arXiv 1612.00940): dilated 3-D convolutions at full resolution, small enough for whole heads. */

import { expectDevice } from "../../tensor/kind.ts";
import { activationLayer, type ActivationSpec } from "../../nn/layers/activation.ts";
import { Conv } from "../../nn/layers/conv.ts";
import { Dropout } from "../../nn/layers/dropout.ts";
import { expectImage, Module, Sequential } from "../../nn/module.ts";
import type { AnyCase } from "../../nn/layers/named.ts";
import { normLayer } from "../../nn/layers/norm.ts";
import { noGrad } from "../../autograd/tape.ts";
import type { Device } from "../../tensor/device.ts";
import { ConfigError } from "../../host/errors.ts";
import { scope } from "../../tensor/scope.ts";
import { expectOptions } from "../../host/options.ts";
import { type Spatial, spatial } from "../../host/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/** Options of `MeshNet`. */
export interface MeshNetOptions {
  /** Default 3. */
  readonly spatialDims?: 1 | 2 | 3;
  /** Channels of the image. */
  readonly inChannels: number;
  /** Classes. */
  readonly outChannels: number;
  /** Channels of every layer but the last, or one number per layer. */
  readonly channels: number | readonly number[];
  /** Dilation of every layer but the last; default 1, 2, 4, 8, 16, 8, 4, 2, 1. */
  readonly dilations?: readonly number[];
  /** Odd, of every layer but the last, which is 1×1; default 3. */
  readonly kernelSize?: Spatial;
  /** Default "RELU". */
  readonly act?: ActivationSpec;
  /** Batch norm between convolution and activation, default; null for none, as in models whose norms were folded into the convolutions. */
  readonly norm?: AnyCase<"BATCH"> | null;
  /** Rate of channel dropout behind every activation; default 0. */
  readonly dropout?: number;
  /** Of the convolutions; default true. */
  readonly bias?: boolean;
}

/**
 * `[N, in, D, H, W]` → `[N, out, D, H, W]` logits; nothing is ever smaller than the image. State-dict names are those of the PyTorch versions
 * (catalyst-team/neuro, neuroneural): `model.0.0.weight` the first convolution, `model.0.1.weight` its batch norm, the last `model.9.weight`.
 * @throws ConfigError, ShapeError for even kernels or lists that do not fit
 */
export class MeshNet extends Module {
  /** The layers in order. */
  readonly model: Sequential;
  private readonly spatialDims: 1 | 2 | 3;
  private readonly inChannels: number;

  constructor(device: Device, options: MeshNetOptions) {
    expectOptions(
      "MeshNet",
      options,
      "spatialDims:number inChannels:number! outChannels:number! channels:spread! dilations:numbers kernelSize act norm dropout bias",
    );
    expectDevice("MeshNet", device);
    super();
    const { spatialDims = 3, inChannels, outChannels, dilations = [1, 2, 4, 8, 16, 8, 4, 2, 1] } = options;
    const { act = "RELU", norm = "BATCH", dropout = 0, bias = true } = options;
    const { channels } = options;
    const widths = typeof channels === "number" ? dilations.map(() => channels) : channels;
    if (widths.length !== dilations.length || widths.length === 0) {
      throw new ConfigError(
        `MeshNet: ${widths.length} channels for ${dilations.length} dilations; give one number, or one per dilation`,
      );
    }
    if (norm !== null && norm !== "BATCH" && norm !== "batch")
      throw new ConfigError(`MeshNet: norm must be "BATCH" or null, got ${JSON.stringify(norm)}`);
    this.spatialDims = spatialDims;
    this.inChannels = inChannels;
    const kernelSize = spatial("MeshNet", "kernelSize", options.kernelSize ?? 3, spatialDims, 1);
    if (kernelSize.some((k) => k % 2 === 0))
      throw new ConfigError(`MeshNet: kernelSize must be odd, got [${kernelSize.join(", ")}]`);
    const layers: Module[] = dilations.map((dilation, i) => {
      const from = i === 0 ? inChannels : widths[i - 1];
      const padding = kernelSize.map((k) => ((k - 1) / 2) * dilation);
      const conv = { spatialDims, inChannels: from, outChannels: widths[i], kernelSize, dilation, padding, bias };
      return new Sequential([
        new Conv(device, conv),
        ...(norm ? [normLayer(device, norm, widths[i])] : []),
        activationLayer(device, act),
        ...(dropout > 0 ? [new Dropout(device, dropout, { channels: true })] : []),
      ]);
    });
    layers.push(new Conv(device, { spatialDims, inChannels: widths.at(-1)!, outChannels, kernelSize: 1, bias }));
    this.model = new Sequential(layers);
  }

  forward(x: Tensor): Tensor {
    expectImage("MeshNet", x, this.spatialDims, this.inChannels);
    return this.model.forward(x);
  }

  /**
   * `forward` without gradients, layer by layer, each intermediate freed as soon as the next one exists: two of them are in memory at once
   * (three inside of a batch norm). In the mode the network is in: call `eval` before. The caller disposes the result.
   */
  infer(x: Tensor): Tensor {
    expectImage("MeshNet", x, this.spatialDims, this.inChannels);
    return noGrad(() => {
      let y = x;
      for (const layer of leaves(this.model)) {
        const next = scope(() => layer.forward(y));
        // Dropout in evaluation hands on the same tensor.
        if (y !== x && next !== y) y.dispose();
        y = next;
      }
      return y;
    });
  }
}

/** The layers of nested sequences in the order they run. */
function* leaves(module: Module): Iterable<Module> {
  if (!(module instanceof Sequential)) yield module;
  else for (const [, child] of module.children()) yield* leaves(child);
}
