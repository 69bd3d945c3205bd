/** @file Adam and AdamW with PyTorch's defaults and numerics. */

import * as kernels from "../../kernels/optim/adam.ts";
import { stateWords } from "../../kernels/optim/update.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { expectOptions } from "../../host/options.ts";
import { adamWords, firstBeta } from "./adam_words.ts";
import { groupsOf } from "./groups.ts";
import { Optimizer, type ParamGroup } from "./optimizer.ts";
import type { Pack } from "./pack.ts";

/** Options of `Adam`, `AdamW`. */
export interface AdamOptions {
  /** Default 1e-3. */
  readonly lr?: number;
  /** Default [0.9, 0.999]. */
  readonly betas?: readonly [number, number];
  /** Default 1e-8. */
  readonly eps?: number;
  /** L2 penalty added to the gradient (Adam) or decay applied to the weight (AdamW); default 0, AdamW 0.01. */
  readonly weightDecay?: number;
  /** Divide by the largest second moment so far (Reddi et al. 2018); default false. */
  readonly amsgrad?: boolean;
  /** Ascend the gradients instead of descending them; default false. */
  readonly maximize?: boolean;
}

const names = "lr betas eps weightDecay amsgrad:boolean maximize:boolean";

/**
 * Adam (Kingma and Ba 2015). Packs the parameters into one buffer when it is made. Throws `ConfigError` for values out of range. Parameters may have any
 * shape.
 */
export class Adam extends Optimizer {
  /** @internal */
  protected readonly decoupled: boolean = false;
  private readonly options: readonly AdamOptions[];

  constructor(params: readonly Tensor[] | readonly ParamGroup<AdamOptions>[], options: AdamOptions = {}) {
    expectOptions("Adam", options, names);
    const groups = groupsOf("Adam", params, options, names);
    const hyper = groups.map((g) =>
      stateWords(kernels.AdamState, { ...adamWords("Adam", g.options), correction1: 0, correction2: 0 }),
    );
    super(
      groups.map((g, i) => ({
        params: g.params,
        hyper: hyper[i],
        moments: g.options.amsgrad ? [true, true, true] : [true, true],
      })),
    );
    this.options = groups.map((g) => g.options);
  }

  override setMomentum(value: number, steps: number): void {
    this.setStates(firstBeta("Adam", kernels.AdamState, value, steps));
  }

  /** @internal */
  protected update(pack: Pack): void {
    const { maximize } = this.options[pack.group];
    kernels.adam(pack, this.decoupled, { maximize, scaler: this.scaler?.state });
  }
}

/** Adam with decoupled weight decay (Loshchilov and Hutter 2019), 0.01 by default. Parameters may have any shape. */
export class AdamW extends Adam {
  /** @internal */
  protected override readonly decoupled = true;

  constructor(params: readonly Tensor[] | readonly ParamGroup<AdamOptions>[], options: AdamOptions = {}) {
    expectOptions("AdamW", options, names);
    super(params, { ...options, weightDecay: options.weightDecay ?? 0.01 });
  }
}
