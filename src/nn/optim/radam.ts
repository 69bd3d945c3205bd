/** @file RAdam with PyTorch's defaults and numerics. */

import * as kernels from "../../kernels/optim/radam.ts";
import { stateWords } from "../../kernels/optim/update.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { expectOptions } from "../../host/options.ts";
import { adamWords, firstBeta } from "./adam_words.ts";
import { groupsOf } from "./groups.ts";
import { Optimizer, type ParamGroup } from "./optimizer.ts";
import type { Pack } from "./pack.ts";

/** Options of `RAdam`. */
export interface RAdamOptions {
  /** Default 1e-3. */
  readonly lr?: number;
  /** Default [0.9, 0.999]. */
  readonly betas?: readonly [number, number];
  /** Default 1e-8. */
  readonly eps?: number;
  /** L2 penalty added to the gradient, or decay of the weight; default 0. */
  readonly weightDecay?: number;
  /** Apply `weightDecay` to the weight, as AdamW does; default false. */
  readonly decoupledWeightDecay?: boolean;
  /** Ascend the gradients instead of descending them; default false. */
  readonly maximize?: boolean;
}

const names = "lr betas eps weightDecay decoupledWeightDecay:boolean maximize:boolean";

/** Rectified Adam (Liu et al. 2020) as PyTorch defines it. Throws `ConfigError` for values out of range. Parameters may have any shape. */
export class RAdam extends Optimizer {
  private readonly options: readonly RAdamOptions[];

  constructor(params: readonly Tensor[] | readonly ParamGroup<RAdamOptions>[], options: RAdamOptions = {}) {
    expectOptions("RAdam", options, names);
    const groups = groupsOf("RAdam", params, options, names);
    const hyper = groups.map((g) =>
      stateWords(kernels.RadamState, { ...adamWords("RAdam", g.options), correction1: 0, correction2: 0, length: 0 }),
    );
    super(groups.map((g, i) => ({ params: g.params, hyper: hyper[i], moments: [true, true] })));
    this.options = groups.map((g) => g.options);
  }

  override setMomentum(value: number, steps: number): void {
    this.setStates(firstBeta("RAdam", kernels.RadamState, value, steps));
  }

  /** @internal */
  protected update(pack: Pack): void {
    const { maximize, decoupledWeightDecay = false } = this.options[pack.group];
    const options = { maximize, scaler: this.scaler?.state };
    kernels.radam(pack, decoupledWeightDecay, options);
  }
}
