/** @file Adagrad with PyTorch's defaults and numerics. */

import { ConfigError } from "../../host/errors.ts";
import * as kernels from "../../kernels/optim/adagrad.ts";
import { stateWords } from "../../kernels/optim/update.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { expectOptions } from "../../host/options.ts";
import { groupsOf } from "./groups.ts";
import { Optimizer, type ParamGroup, requireRange } from "./optimizer.ts";
import type { Pack } from "./pack.ts";

/** Options of `Adagrad`. */
export interface AdagradOptions {
  /** Default 1e-2. */
  readonly lr?: number;
  /** The rate of step t, from 0, is lr / (1 + t · lrDecay); default 0. */
  readonly lrDecay?: number;
  /** L2 penalty; default 0. */
  readonly weightDecay?: number;
  /** What the sum of squares begins with; default 0. */
  readonly initialAccumulatorValue?: number;
  /** Default 1e-10. */
  readonly eps?: number;
  /** Ascend the gradients instead of descending them; default false. */
  readonly maximize?: boolean;
}

const names = "lr lrDecay weightDecay initialAccumulatorValue eps maximize:boolean";

/** Adagrad (Duchi et al. 2011) as PyTorch defines it. Throws `ConfigError` for values out of range. Parameters may have any shape. */
export class Adagrad extends Optimizer {
  private readonly options: readonly AdagradOptions[];

  constructor(params: readonly Tensor[] | readonly ParamGroup<AdagradOptions>[], options: AdagradOptions = {}) {
    expectOptions("Adagrad", options, names);
    const groups = groupsOf("Adagrad", params, options, names);
    super(
      groups.map((g) => {
        const { lr = 1e-2, lrDecay = 0, weightDecay = 0, initialAccumulatorValue = 0, eps = 1e-10 } = g.options;
        const range = { lr, lrDecay, weightDecay, initialAccumulatorValue, eps };
        for (const [name, value] of Object.entries(range)) requireRange("Adagrad", name, value, 0, Infinity);
        const state = { lr, lr_decay: lrDecay, epsilon: eps, weight_decay: weightDecay, steps: 0 };
        return {
          params: g.params,
          hyper: stateWords(kernels.AdagradState, state),
          moments: [initialAccumulatorValue],
        };
      }),
    );
    this.options = groups.map((g) => g.options);
  }

  override setMomentum(): void {
    throw new ConfigError("Adagrad has no momentum: give the scheduler cycleMomentum: false");
  }

  /** @internal */
  protected update(pack: Pack): void {
    const { maximize } = this.options[pack.group];
    kernels.adagrad(pack, { maximize, scaler: this.scaler?.state });
  }
}
