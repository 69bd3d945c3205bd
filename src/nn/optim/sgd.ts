/** @file Stochastic gradient descent with PyTorch's defaults and numerics. */

import * as kernels from "../../kernels/optim/sgd.ts";
import { ConfigError } from "../../host/errors.ts";
import { stateWords } from "../../kernels/optim/update.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { expectOptions } from "../../host/options.ts";
import { groupsOf } from "./groups.ts";
import { Optimizer, type ParamGroup, requireRange } from "./optimizer.ts";
import type { Pack } from "./pack.ts";

/** Options of `SGD`. */
export interface SGDOptions {
  /** Default 1e-3. */
  readonly lr?: number;
  /** Default 0. */
  readonly momentum?: number;
  /** Default 0. */
  readonly dampening?: number;
  /** L2 penalty; default 0. */
  readonly weightDecay?: number;
  /** Needs momentum and no dampening; default false. */
  readonly nesterov?: boolean;
  /** Ascend the gradients instead of descending them; default false. */
  readonly maximize?: boolean;
}

const names = "lr momentum dampening:number weightDecay nesterov:boolean maximize:boolean";

/** Stochastic gradient descent with momentum as PyTorch defines it. Throws `ConfigError` for values out of range. Parameters may have any shape. */
export class SGD extends Optimizer {
  private readonly options: readonly SGDOptions[];

  constructor(params: readonly Tensor[] | readonly ParamGroup<SGDOptions>[], options: SGDOptions = {}) {
    expectOptions("SGD", options, names);
    const groups = groupsOf("SGD", params, options, names);
    const hyper = groups.map((g) => {
      const { lr = 1e-3, momentum = 0, dampening = 0, weightDecay = 0, nesterov = false } = g.options;
      requireRange("SGD", "lr", lr, 0, Infinity);
      requireRange("SGD", "momentum", momentum, 0, Infinity);
      requireRange("SGD", "dampening", dampening, -Infinity, Infinity);
      requireRange("SGD", "weightDecay", weightDecay, 0, Infinity);
      if (nesterov && (momentum === 0 || dampening !== 0))
        throw new ConfigError("SGD: nesterov needs a momentum and no dampening");
      return stateWords(kernels.SgdState, { lr, momentum, dampening, weight_decay: weightDecay, steps: 0 });
    });
    super(groups.map((g, i) => ({ params: g.params, hyper: hyper[i], moments: [true] })));
    this.options = groups.map((g) => g.options);
  }

  override setMomentum(value: number): void {
    requireRange("SGD", "momentum", value, 0, Infinity);
    this.setStates([[kernels.SgdState.momentum, value]]);
  }

  /** @internal */
  protected update(pack: Pack): void {
    const { maximize, nesterov = false } = this.options[pack.group];
    kernels.sgd(pack, nesterov, { maximize, scaler: this.scaler?.state });
  }
}
