/** @file Optimisers with PyTorch's defaults and numerics. */

import * as kernels from "../../kernels/optim.ts";
import { ConfigError } from "../../host/errors.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { groupsOf, Optimizer, type Pack, type ParamGroup, requireRange } from "./optimizer.ts";

export { Optimizer, type ParamGroup, type StepOptions } from "./optimizer.ts";

export interface AdamOptions {
  /** Default 1e-3. */
  readonly lr?: number;
  /** Default [0.9, 0.999]. */
  readonly betas?: readonly [number, number];
  /** Default 1e-8. */
  readonly eps?: number;
  /** L2 penalty added to the gradient (Adam) or decay applied to the weight (AdamW); default 0, AdamW 0.01. */
  readonly weightDecay?: number;
  /** Divide by the largest second moment so far (Reddi et al. 2018); default false. Of the optimiser, not of a group. */
  readonly amsgrad?: boolean;
  /** Ascend the gradients instead of descending them; default false. Of the optimiser, not of a group. */
  readonly maximize?: boolean;
}

/** Adam (Kingma and Ba 2015). Packs the parameters into one buffer when it is made. Throws `ConfigError` for values out of range. */
export class Adam extends Optimizer {
  protected readonly decoupled: boolean = false;
  private readonly maximize: boolean;

  constructor(params: readonly Tensor[] | readonly ParamGroup<AdamOptions>[], options: AdamOptions = {}) {
    const groups = groupsOf(params);
    const hyper = groups.map((g) => {
      const { lr = 1e-3, betas = [0.9, 0.999], eps = 1e-8, weightDecay = 0 } = { ...options, ...g.options };
      requireRange("Adam", "lr", lr, 0, Infinity);
      requireRange("Adam", "betas[0]", betas[0], 0, 1 - 1e-12);
      requireRange("Adam", "betas[1]", betas[1], 0, 1 - 1e-12);
      requireRange("Adam", "eps", eps, 0, Infinity);
      requireRange("Adam", "weightDecay", weightDecay, 0, Infinity);
      return kernels.stateWords(kernels.AdamState, {
        lr,
        beta1: betas[0],
        beta2: betas[1],
        one_minus_beta1: 1 - betas[0],
        one_minus_beta2: 1 - betas[1],
        epsilon: eps,
        weight_decay: weightDecay,
        correction1: 0,
        correction2: 0,
      });
    });
    super(
      groups.map((g, i) => ({ params: g.params, hyper: hyper[i] })),
      options.amsgrad ? [true, true, true] : [true, true],
    );
    this.maximize = options.maximize ?? false;
  }

  override setMomentum(value: number, steps: number): void {
    requireRange("Adam", "betas[0]", value, 0, 1 - 1e-12);
    for (const pack of this.packs) {
      this.setState(pack, kernels.AdamState.beta1, value);
      this.setState(pack, kernels.AdamState.one_minus_beta1, 1 - value);
      this.setState(pack, kernels.AdamState.correction1, 1 - value ** steps);
    }
  }

  protected update(pack: Pack): void {
    const { maximize, decoupled } = this;
    kernels.adam(pack.state, pack.gradient, pack.weight, pack.moments, decoupled, { maximize, scaler: this.scaler?.state });
  }
}

/** Adam with decoupled weight decay (Loshchilov and Hutter 2019), 0.01 by default. */
export class AdamW extends Adam {
  protected override readonly decoupled = true;

  constructor(params: readonly Tensor[] | readonly ParamGroup<AdamOptions>[], options: AdamOptions = {}) {
    super(params, { weightDecay: 0.01, ...options });
  }
}

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
  /** Ascend the gradients instead of descending them; default false. Of the optimiser, not of a group. */
  readonly maximize?: boolean;
}

/** Stochastic gradient descent with momentum as PyTorch defines it. Throws `ConfigError` for values out of range. */
export class SGD extends Optimizer {
  private readonly nesterov: boolean;
  private readonly maximize: boolean;

  constructor(params: readonly Tensor[] | readonly ParamGroup<SGDOptions>[], options: SGDOptions = {}) {
    const groups = groupsOf(params);
    const { nesterov = false } = options;
    const hyper = groups.map((g) => {
      const { lr = 1e-3, momentum = 0, dampening = 0, weightDecay = 0 } = { ...options, ...g.options };
      requireRange("SGD", "lr", lr, 0, Infinity);
      requireRange("SGD", "momentum", momentum, 0, Infinity);
      requireRange("SGD", "weightDecay", weightDecay, 0, Infinity);
      if (nesterov && (momentum === 0 || dampening !== 0))
        throw new ConfigError("SGD: nesterov needs a momentum and no dampening");
      return kernels.stateWords(kernels.SgdState, { lr, momentum, dampening, weight_decay: weightDecay, steps: 0 });
    });
    super(
      groups.map((g, i) => ({ params: g.params, hyper: hyper[i] })),
      [true],
    );
    this.nesterov = nesterov;
    this.maximize = options.maximize ?? false;
  }

  override setMomentum(value: number): void {
    requireRange("SGD", "momentum", value, 0, Infinity);
    for (const pack of this.packs) this.setState(pack, kernels.SgdState.momentum, value);
  }

  protected update(pack: Pack): void {
    const { maximize, nesterov } = this;
    kernels.sgd(pack.state, pack.gradient, pack.weight, pack.moments[0], nesterov, { maximize, scaler: this.scaler?.state });
  }
}

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
  /** Ascend the gradients instead of descending them; default false. Of the optimiser, not of a group. */
  readonly maximize?: boolean;
}

/** RMSprop (Tieleman and Hinton 2012) as PyTorch defines it. Throws `ConfigError` for values out of range. */
export class RMSprop extends Optimizer {
  private readonly centered: boolean;
  private readonly maximize: boolean;

  constructor(params: readonly Tensor[] | readonly ParamGroup<RMSpropOptions>[], options: RMSpropOptions = {}) {
    const groups = groupsOf(params);
    const { centered = false } = options;
    const hyper = groups.map((g) => {
      const { lr = 1e-2, alpha = 0.99, eps = 1e-8, weightDecay = 0, momentum = 0 } = { ...options, ...g.options };
      requireRange("RMSprop", "lr", lr, 0, Infinity);
      requireRange("RMSprop", "alpha", alpha, 0, Infinity);
      requireRange("RMSprop", "eps", eps, 0, Infinity);
      requireRange("RMSprop", "weightDecay", weightDecay, 0, Infinity);
      requireRange("RMSprop", "momentum", momentum, 0, Infinity);
      return kernels.stateWords(kernels.RmspropState, {
        lr,
        alpha,
        one_minus_alpha: 1 - alpha,
        epsilon: eps,
        weight_decay: weightDecay,
        momentum,
      });
    });
    super(
      groups.map((g, i) => ({ params: g.params, hyper: hyper[i] })),
      [true, true, centered],
    );
    this.centered = centered;
    this.maximize = options.maximize ?? false;
  }

  override setMomentum(value: number): void {
    requireRange("RMSprop", "momentum", value, 0, Infinity);
    for (const pack of this.packs) this.setState(pack, kernels.RmspropState.momentum, value);
  }

  protected update(pack: Pack): void {
    const { maximize, centered } = this;
    kernels.rmsprop(pack.state, pack.gradient, pack.weight, pack.moments, centered, { maximize, scaler: this.scaler?.state });
  }
}
