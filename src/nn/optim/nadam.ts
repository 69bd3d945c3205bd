/** @file NAdam with PyTorch's defaults and numerics. */

import * as kernels from "../../kernels/optim/nadam.ts";
import { stateWords } from "../../kernels/optim/update.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { expectOptions } from "../../host/options.ts";
import { adamWords, firstBeta } from "./adam_words.ts";
import { groupsOf } from "./groups.ts";
import { Optimizer, type ParamGroup, requireRange } from "./optimizer.ts";
import type { Pack } from "./pack.ts";

/** Options of `NAdam`. */
export interface NAdamOptions {
  /** Default 2e-3. */
  readonly lr?: number;
  /** Default [0.9, 0.999]. */
  readonly betas?: readonly [number, number];
  /** Default 1e-8. */
  readonly eps?: number;
  /** L2 penalty added to the gradient, or decay of the weight; default 0. */
  readonly weightDecay?: number;
  /** How fast the momentum grows towards its beta; default 4e-3. */
  readonly momentumDecay?: number;
  /** Apply `weightDecay` to the weight, as AdamW does; default false. */
  readonly decoupledWeightDecay?: boolean;
  /** Ascend the gradients instead of descending them; default false. */
  readonly maximize?: boolean;
}

const names = "lr betas eps weightDecay momentumDecay decoupledWeightDecay:boolean maximize:boolean";

/** Adam with the momentum of the next step (Dozat 2016) as PyTorch defines it. Throws `ConfigError` for values out of range. Parameters may have any shape. */
export class NAdam extends Optimizer {
  private readonly options: readonly NAdamOptions[];

  constructor(params: readonly Tensor[] | readonly ParamGroup<NAdamOptions>[], options: NAdamOptions = {}) {
    expectOptions("NAdam", options, names);
    const groups = groupsOf("NAdam", params, options, names);
    const hyper = groups.map(({ options: { lr = 2e-3, momentumDecay = 4e-3, ...rest } }) => {
      requireRange("NAdam", "momentumDecay", momentumDecay, 0, Infinity);
      const momentum = { steps: 0, momentum: 0, momentum_next: 0, momentum_product: 1 };
      const words = { ...adamWords("NAdam", { lr, ...rest }), momentum_decay: momentumDecay, correction2: 0, ...momentum };
      return stateWords(kernels.NadamState, words);
    });
    super(groups.map((g, i) => ({ params: g.params, hyper: hyper[i], moments: [true, true] })));
    this.options = groups.map((g) => g.options);
  }

  override setMomentum(value: number): void {
    this.setStates(firstBeta("NAdam", kernels.NadamState, value));
  }

  /** @internal */
  protected update(pack: Pack): void {
    const { maximize, decoupledWeightDecay = false } = this.options[pack.group];
    const options = { maximize, scaler: this.scaler?.state };
    kernels.nadam(pack, decoupledWeightDecay, options);
  }
}
