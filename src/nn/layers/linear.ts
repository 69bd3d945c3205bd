/** @file The fully connected layer. */

import { expectDevice } from "../../tensor/kind.ts";
import { linear } from "../../autograd/matmul.ts";
import type { Device } from "../../tensor/device.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { kaimingBound, uniformParameter } from "../init.ts";
import { Module } from "../module.ts";
import { expectOptions } from "../../host/options.ts";

/** Options of `Linear`. */
export interface LinearOptions {
  /** Length of the input's last axis. */
  readonly inFeatures: number;
  /** Length of the output's last axis. */
  readonly outFeatures: number;
  /** Default true. */
  readonly bias?: boolean;
}

/**
 * A fully connected layer: `[…, in]` → `[…, out]`; weight `[out, in]`, bias `[out]`, PyTorch's default initialization. `forward` throws `ShapeError` for another
 * last axis.
 */
export class Linear extends Module {
  /** `[out, in]`. */
  readonly weight: Tensor;
  /** `[out]`; undefined without. */
  readonly bias: Tensor | undefined;

  constructor(device: Device, options: LinearOptions) {
    expectOptions("Linear", options, "inFeatures:number! outFeatures:number! bias:boolean");
    expectDevice("Linear", device);
    const { inFeatures, outFeatures, bias = true } = options;
    super();
    this.weight = uniformParameter(device, [outFeatures, inFeatures], kaimingBound(inFeatures));
    this.bias = bias ? uniformParameter(device, [outFeatures], 1 / Math.sqrt(inFeatures)) : undefined;
  }

  forward(x: Tensor): Tensor {
    return linear(x, this.weight, this.bias);
  }
}
