/** @file A network as a function on host arrays, for the inferers. */

import { expectDevice } from "../../tensor/kind.ts";
import { noGrad } from "../../autograd/tape.ts";
import { evaluating } from "../../nn/evaluating.ts";
import { type Module, expectModule } from "../../nn/module.ts";
import { capture, type Captured, captureNames, type CaptureOptions } from "../../tensor/capture.ts";
import type { Device } from "../../tensor/device.ts";
import type { HostArray } from "../../host/array.ts";
import { expectOptions } from "../../host/options.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/** Runs a model in evaluation mode, one captured plan per input shape. */
export class Predictor {
  private readonly step: Captured<Tensor>;

  /** `maxPlanBytes` bounds the plans of input shapes that come and go, see `CaptureOptions`. */
  constructor(device: Device, model: Module, options: CaptureOptions = {}) {
    expectOptions("Predictor", options, captureNames);
    expectDevice("Predictor", device);
    expectModule("Predictor", { model });
    this.step = capture(device, (x) => noGrad(() => evaluating([model], () => model.forward(x))), options);
  }

  /** `[B, C, …]` → the model's output. */
  async predict(windows: HostArray): Promise<HostArray> {
    const out = this.step(windows);
    return { data: await out.data(), shape: out.shape };
  }

  /** Frees the captured steps, not the model. */
  dispose(): void {
    this.step.dispose();
  }
}
