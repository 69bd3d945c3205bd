/** @file Dynamic loss scaling for f16 activations, on the device: a replayed step needs nothing from the host. */

import { expectDevice } from "../../tensor/kind.ts";
import { mul } from "../../autograd/pointwise.ts";
import * as kernels from "../../kernels/optim/gradients.ts";
import { stateWords } from "../../kernels/optim/update.ts";
import type { Device } from "../../tensor/device.ts";
import { ConfigError } from "../../host/errors.ts";
import { expectOptions } from "../../host/options.ts";
import { keep } from "../../tensor/scope.ts";
import { Tensor } from "../../tensor/tensor.ts";

/** Options of `GradScaler`. */
export interface GradScalerOptions {
  /** Default 65536. */
  readonly initScale?: number;
  /** Factor of the scale after `growthInterval` good steps in a row; default 2. */
  readonly growthFactor?: number;
  /** Factor of the scale after a step with a gradient that is not finite; default 0.5. */
  readonly backoffFactor?: number;
  /** Default 2000. */
  readonly growthInterval?: number;
}

/**
 * Keeps small gradients out of f16's underflow (Micikevicius et al. 2018), with the defaults of `torch.amp.GradScaler`: the loss is multiplied by a
 * scale before `grad`, and an optimizer whose `scaler` this is divides the gradients by it again. A step with a NaN or infinite gradient
 * changes neither weights nor moments, only the scale. Its state is part of the optimizer's `stateDict`.
 *
 *     optimizer.scaler = new GradScaler(device);
 *     const step = capture(device, (x, y) => {
 *       const loss = withPrecision("f16", () => lossOf(model.forward(x), y));
 *       optimizer.step(withPrecision("f16", () => grad(optimizer.scaler.scale(loss), optimizer.parameters)));
 *       return loss;
 *     });
 */
export class GradScaler {
  /** Seven elements: scale, counters and flags, see shaders/lib/scaler.wgsl. */
  readonly state: Tensor;
  private readonly factor: Tensor;

  /** Throws `ConfigError` for factors that do not grow or shrink the scale. */
  constructor(device: Device, options: GradScalerOptions = {}) {
    expectOptions("GradScaler", options, "initScale:number growthFactor:number backoffFactor:number growthInterval:number");
    expectDevice("GradScaler", device);
    const { initScale = 65536, growthFactor = 2, backoffFactor = 0.5, growthInterval = 2000 } = options;
    const sane = initScale > 0 && growthFactor >= 1 && backoffFactor > 0 && backoffFactor <= 1;
    if (!sane || !(Number.isInteger(growthInterval) && growthInterval > 0)) {
      throw new ConfigError(
        `GradScaler: needs initScale > 0, growthFactor ≥ 1, backoffFactor in (0, 1] and a whole growthInterval > 0, got ` +
          `${initScale}, ${growthFactor}, ${backoffFactor}, ${growthInterval}`,
      );
    }
    const words = stateWords(kernels.ScalerState, {
      scale: initScale,
      good: 0,
      found: 0,
      inverse: 1 / initScale,
      growth: growthFactor,
      backoff: backoffFactor,
      interval: growthInterval,
    });
    this.state = keep(device.tensor({ data: words, shape: [words.length] }));
    this.factor = keep(new Tensor(device, this.state.storage.retain(), [], "f32", this.state.byteOffset));
  }

  /** The loss times the scale. Both are scalars. */
  scale(loss: Tensor): Tensor {
    return mul(loss, this.factor);
  }

  /** Divides flat gradients by the scale, notes whether they are finite, and moves the scale, unless a scalar `veto` is not 0. For optimizers. */
  unscale(gradients: readonly Tensor[], veto?: Tensor): void {
    kernels.unscale(gradients, this.state, veto);
  }

  /** The scale of the next step, read back. */
  async value(): Promise<number> {
    return (await this.state.data())[kernels.ScalerState.scale];
  }

  /** Whether the last step was skipped, read back. */
  async skipped(): Promise<boolean> {
    return (await this.state.data())[kernels.ScalerState.found] !== 0;
  }

  /** Frees the state. */
  dispose(): void {
    this.factor.dispose();
    this.state.dispose();
  }
}
