/** @file RMSprop with PyTorch's defaults and numerics. */

import * as kernels from "../../kernels/optim/rmsprop.ts";
import { stateWords } from "../../kernels/optim/update.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { expectOptions } from "../../host/options.ts";
import { groupsOf } from "./groups.ts";
import { Optimizer, type ParamGroup, requireRange } from "./optimizer.ts";
import type { Pack } from "./pack.ts";

/** Options of `RMSprop`. */
export interface RMSpropOptions {
  /** Default 1e-2. */
  readonly lr?: number;
  /** Share of the past in the mean square; default 0.99. */
  readonly alpha?: number;
  /** Default 1e-8. */
  readonly eps?: number;
  /** L2 penalty; default 0. */
  readonly weightDecay?: number;
  /** Default 0. */
  readonly momentum?: number;
  /** Divide by the standard deviation instead of the root mean square; default false. */
  readonly centered?: boolean;
  /** Ascend the gradients instead of descending them; default false. */
  readonly maximize?: boolean;
}

const names = "lr alpha eps weightDecay momentum centered:boolean maximize:boolean";

/** RMSprop (Tieleman and Hinton 2012) as PyTorch defines it. Throws `ConfigError` for values out of range. Parameters may have any shape. */
export class RMSprop extends Optimizer {
  private readonly options: readonly RMSpropOptions[];

  constructor(params: readonly Tensor[] | readonly ParamGroup<RMSpropOptions>[], options: RMSpropOptions = {}) {
    expectOptions("RMSprop", options, names);
    const groups = groupsOf("RMSprop", params, options, names);
    const hyper = groups.map((g) => {
      const { lr = 1e-2, alpha = 0.99, eps = 1e-8, weightDecay = 0, momentum = 0 } = g.options;
      requireRange("RMSprop", "lr", lr, 0, Infinity);
      requireRange("RMSprop", "alpha", alpha, 0, Infinity);
      requireRange("RMSprop", "eps", eps, 0, Infinity);
      requireRange("RMSprop", "weightDecay", weightDecay, 0, Infinity);
      requireRange("RMSprop", "momentum", momentum, 0, Infinity);
      return stateWords(kernels.RmspropState, {
        lr,
        alpha,
        one_minus_alpha: 1 - alpha,
        epsilon: eps,
        weight_decay: weightDecay,
        momentum,
      });
    });
    super(groups.map((g, i) => ({ params: g.params, hyper: hyper[i], moments: [true, true, g.options.centered ?? false] })));
    this.options = groups.map((g) => g.options);
  }

  override setMomentum(value: number): void {
    requireRange("RMSprop", "momentum", value, 0, Infinity);
    this.setStates([[kernels.RmspropState.momentum, value]]);
  }

  /** @internal */
  protected update(pack: Pack): void {
    const { maximize, centered = false } = this.options[pack.group];
    kernels.rmsprop(pack, centered, { maximize, scaler: this.scaler?.state });
  }
}
