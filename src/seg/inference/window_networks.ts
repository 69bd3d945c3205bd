/** @file The networks that windows go through, each a captured step, and what they need on the device. */

import { sigmoid } from "../../autograd/pointwise.ts";
import { withPrecision } from "../../autograd/precision.ts";
import { softmax } from "../../autograd/softmax.ts";
import { noGrad } from "../../autograd/tape.ts";
import { reshape } from "../../autograd/view.ts";
import { type DType, sizeOf } from "../../host/array.ts";
import { OutOfMemoryError, ShapeError } from "../../host/errors.ts";
import { formatBytes } from "../../host/text.ts";
import { evaluating } from "../../nn/evaluating.ts";
import type { Module } from "../../nn/module.ts";
import { capture, type Captured, type CapturedPlan } from "../../tensor/capture.ts";
import type { Device } from "../../tensor/device.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/** See `DeviceWindowsOptions`. */
export interface WindowNetworksOptions {
  readonly sliceAxis?: number | undefined;
  readonly activation?: "softmax" | "sigmoid" | undefined;
  readonly precision?: "f32" | "f16" | undefined;
}

/** What networks make of windows. */
interface Made {
  readonly shape: readonly number[];
  readonly dtype: DType;
}

export class WindowNetworks {
  /** `[B, C, ...roi]` to `[B · classes, ...roi]` */
  readonly steps: readonly Captured<Tensor>[];
  private readonly options: WindowNetworksOptions;
  // By the shape of windows, from when they were traced.
  private readonly made = new Map<string, Made>();

  constructor(device: Device, models: readonly Module[], options: WindowNetworksOptions) {
    this.options = options;
    this.steps = models.map((model) => capture(device, (windows) => noGrad(() => this.forward(model, windows))));
  }

  /**
   * Bytes that they need for windows `[C, ...roi]` in batches of these sizes, and what they make of them.
   * @throws ShapeError for networks that do not keep the windows' size; OutOfMemoryError beyond `maxBytes`
   */
  async plan(window: readonly number[], batches: Iterable<number>, maxBytes: number): Promise<{ bytes: number } & Made> {
    const plans: CapturedPlan[] = [];
    let largest = 0;
    for (const batch of batches) {
      const shape = [batch, ...window];
      const zeros = { data: new Float32Array(sizeOf(shape)), shape };
      for (const step of this.steps) plans.push(await step.prepare([zeros]));
      this.expectFitting(shape);
      largest = Math.max(largest, batch);
    }
    const shape = [largest, ...window];
    // Plans share what they do not keep, and weights.
    const most = (list: readonly number[]) => Math.max(...list);
    const own = plans.reduce((sum, p) => sum + p.ownBytes - p.memory.scratch, 0);
    const outside = this.steps.reduce(
      (sum, _, i) => sum + most(plans.filter((_p, k) => k % this.steps.length === i).map((p) => p.memory.outside)),
      0,
    );
    const bytes = own + outside + most(plans.map((p) => p.memory.scratch));
    if (bytes <= maxBytes) return { bytes, ...this.made.get(shape.join())! };
    throw new OutOfMemoryError(
      `sliding window: the network needs ${formatBytes(bytes)} for windows [${shape}], ${formatBytes(maxBytes)} are allowed: use smaller ` +
        "windows or batches, or allow more memory",
    );
  }

  /** Frees the captured steps, not the networks. */
  dispose(): void {
    for (const step of this.steps) step.dispose();
  }

  private forward(model: Module, windows: Tensor): Tensor {
    const { sliceAxis, activation, precision = "f32" } = this.options;
    const x = sliceAxis === undefined ? windows : reshape(windows, windows.shape.toSpliced(sliceAxis + 2, 1));
    const raw = withPrecision(precision, () => evaluating([model], () => model.forward(x)));
    const y = activation === "softmax" ? softmax(raw) : activation === "sigmoid" ? sigmoid(raw) : raw;
    this.made.set(windows.shape.join(), { shape: y.shape, dtype: y.dtype });
    const [n, k, ...size] = y.shape;
    return reshape(y, [n * k, ...size]);
  }

  private expectFitting(shape: readonly number[]): void {
    const expected = shape.slice(2).filter((_, axis) => axis !== this.options.sliceAxis);
    const [n, k, ...size] = this.made.get(shape.join())!.shape;
    if (n === shape[0] && size.join() === expected.join()) return;
    throw new ShapeError(
      `sliding window: the network gives [${[n, k, ...size]}] for windows [${shape}]; expected [${[shape[0], "classes", ...expected]}]`,
    );
  }
}
