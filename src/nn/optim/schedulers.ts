/** @file PyTorch's learning rate schedulers over the functions of `rates.ts`. All of them move the rates of an optimizer at `step()`. */

import { expectArguments, refused } from "../../host/kinds.ts";
import { ConfigError } from "../../host/errors.ts";
import { expectIntegers } from "../../host/integers.ts";
import { expectOptions } from "../../host/options.ts";
import { type Optimizer, expectOptimizer, requireRange } from "./optimizer.ts";
import {
  cosineAnnealing,
  type CosineOptions,
  cosineWarmRestarts,
  type CosineWarmRestartsOptions,
  type Cycle,
  cyclic,
  type CyclicOptions,
  exponentialDecay,
  type ExponentialOptions,
  linearRamp,
  type LinearRampOptions,
  multiStepDecay,
  type MultiStepOptions,
  oneCycle,
  type OneCycleOptions,
  polynomialDecay,
  type PolynomialOptions,
  type Schedule,
  stepDecay,
  type StepDecayOptions,
} from "./rates.ts";

/**
 * Sets the rates of an optimizer by a schedule: `new Scheduler(adam, warmUp(cosineAnnealing({ tMax: 90 }), { steps: 10 }))`. Call `step()` after
 * each update, or after each epoch, outside of a captured step: the rate is on the device, so that the step is not traced again.
 */
export class Scheduler {
  /** Whose rates are set. */
  protected readonly optimizer: Optimizer;
  private readonly schedule: Schedule;
  private readonly bases: readonly number[];
  private done = 0;

  constructor(optimizer: Optimizer, schedule: Schedule) {
    expectOptimizer(new.target.name, optimizer);
    expectArguments(new.target.name, "function", { schedule });
    this.optimizer = optimizer;
    this.schedule = schedule;
    this.bases = optimizer.rates;
    this.set(0);
  }

  /** Goes on to the next step. */
  step(): void {
    this.set(this.done + 1);
  }

  /** Steps done; setting it goes on from a checkpoint. The optimizer's own rates must be those of its construction. */
  get steps(): number {
    return this.done;
  }

  set steps(value: number) {
    expectIntegers("Scheduler", { steps: value }, 0);
    this.set(value);
  }

  /** Rate of the first group. */
  get lr(): number {
    return this.optimizer.lr;
  }

  /** Sets what the optimizer has at `step`. */
  protected set(step: number): void {
    this.optimizer.expectOutside("a scheduler's step");
    const rates = this.bases.map((base) => this.schedule(step, base));
    this.done = step;
    this.optimizer.setRates(rates);
  }
}

/** Decays by `gamma` every `stepSize` steps. */
export class StepLR extends Scheduler {
  constructor(optimizer: Optimizer, options: StepDecayOptions) {
    super(optimizer, stepDecay(options));
  }
}

/** Decays by `gamma` at each milestone. */
export class MultiStepLR extends Scheduler {
  constructor(optimizer: Optimizer, options: MultiStepOptions) {
    super(optimizer, multiStepDecay(options));
  }
}

/** Decays by `gamma` at each step. */
export class ExponentialLR extends Scheduler {
  constructor(optimizer: Optimizer, options: ExponentialOptions) {
    super(optimizer, exponentialDecay(options));
  }
}

/** Half a cosine down to `etaMin`. */
export class CosineAnnealingLR extends Scheduler {
  constructor(optimizer: Optimizer, options: CosineOptions) {
    super(optimizer, cosineAnnealing(options));
  }
}

/** Half a cosine down towards `etaMin`, then from the top again. */
export class CosineAnnealingWarmRestarts extends Scheduler {
  constructor(optimizer: Optimizer, options: CosineWarmRestartsOptions) {
    super(optimizer, cosineWarmRestarts(options));
  }
}

/** Down to 0 by a power of the steps that remain. */
export class PolynomialLR extends Scheduler {
  constructor(optimizer: Optimizer, options: PolynomialOptions = {}) {
    super(optimizer, polynomialDecay(options));
  }
}

/** A linear change of the rate, by default a warm-up. */
export class LinearLR extends Scheduler {
  constructor(optimizer: Optimizer, options: LinearRampOptions = {}) {
    super(optimizer, linearRamp(options));
  }
}

/** How a cycle moves the momentum. */
export interface CycledMomentumOptions {
  /** Move the momentum (Adam: the first beta) against the rate; default true. */
  readonly cycleMomentum?: boolean;
  /** The smallest; default 0.85, `CyclicLR` 0.8. */
  readonly baseMomentum?: number;
  /** The largest; default 0.95, `CyclicLR` 0.9. */
  readonly maxMomentum?: number;
}

/** Sets rate and momentum by a cycle: what `OneCycleLR` and `CyclicLR` share. Step it after each update. */
export abstract class CycleScheduler extends Scheduler {
  private readonly cycle: Cycle | undefined;
  private readonly range: readonly [number, number];

  /** `cycleMomentum`: whether the momentum moves too, within `range`, smallest and largest. */
  protected constructor(optimizer: Optimizer, cycle: Cycle, cycleMomentum: boolean, range: readonly [number, number]) {
    super(optimizer, (step) => cycle(step).lr);
    this.range = range;
    if (cycleMomentum) this.cycle = cycle;
    this.setMomentum(0);
  }

  protected override set(step: number): void {
    super.set(step);
    this.setMomentum(step);
  }

  private setMomentum(step: number): void {
    if (!this.cycle) return;
    const [low, high] = this.range;
    this.optimizer.setMomentum(low + (high - low) * this.cycle(step).momentum, step);
  }
}

/** Options of `OneCycleLR`. */
export interface OneCycleLROptions extends OneCycleOptions, CycledMomentumOptions {}

/** The 1cycle policy. Step it after each update. */
export class OneCycleLR extends CycleScheduler {
  constructor(optimizer: Optimizer, options: OneCycleLROptions) {
    expectOptions(
      "OneCycleLR",
      options,
      "cycleMomentum:boolean baseMomentum:number maxMomentum:number maxLr totalSteps pctStart annealStrategy divFactor finalDivFactor threePhase",
    );
    expectOptimizer("OneCycleLR", optimizer);
    const { cycleMomentum = true, baseMomentum = 0.85, maxMomentum = 0.95, ...rest } = options;
    super(optimizer, oneCycle(rest), cycleMomentum, [baseMomentum, maxMomentum]);
  }
}

/** Options of `CyclicLR`. */
export interface CyclicLROptions extends CyclicOptions, CycledMomentumOptions {}

/** Between two rates and back, again and again. Step it after each update. */
export class CyclicLR extends CycleScheduler {
  constructor(optimizer: Optimizer, options: CyclicLROptions) {
    expectOptions(
      "CyclicLR",
      options,
      "cycleMomentum:boolean baseMomentum:number maxMomentum:number baseLr maxLr stepSizeUp stepSizeDown mode gamma",
    );
    expectOptimizer("CyclicLR", optimizer);
    const { cycleMomentum = true, baseMomentum = 0.8, maxMomentum = 0.9, ...rest } = options;
    super(optimizer, cyclic(rest), cycleMomentum, [baseMomentum, maxMomentum]);
  }
}

/** Options of `ReduceLROnPlateau`. */
export interface ReduceLROnPlateauOptions {
  /** Whether the metric should fall; default "min". */
  readonly mode?: "min" | "max";
  /** Default 0.1. */
  readonly factor?: number;
  /** Steps without improvement that are allowed; default 10. */
  readonly patience?: number;
  /** What counts as an improvement; default 1e-4. */
  readonly threshold?: number;
  /** Whether `threshold` is relative to the best value; default "rel". */
  readonly thresholdMode?: "rel" | "abs";
  /** Steps to wait after a reduction; default 0. */
  readonly cooldown?: number;
  /** Default 0. */
  readonly minLr?: number;
  /** Smaller changes of the rate are left out; default 1e-8. */
  readonly eps?: number;
}

/** Reduces the rate when a metric no longer improves. */
export class ReduceLROnPlateau {
  private readonly optimizer: Optimizer;
  private readonly options: Required<ReduceLROnPlateauOptions>;
  private best: number;
  private bad = 0;
  private waiting = 0;
  /** Rates as they were last reduced. */
  private exact: readonly number[] = [];

  constructor(optimizer: Optimizer, options: ReduceLROnPlateauOptions = {}) {
    expectOptions(
      "ReduceLROnPlateau",
      options,
      "mode factor:number patience:number threshold:number thresholdMode cooldown:number minLr:number eps:number",
    );
    expectOptimizer("ReduceLROnPlateau", optimizer);
    const { mode = "min", factor = 0.1, patience = 10, threshold = 1e-4, thresholdMode = "rel" } = options;
    const { cooldown = 0, minLr = 0, eps = 1e-8 } = options;
    for (const [name, value] of Object.entries({ patience, threshold, cooldown, minLr, eps }))
      requireRange("ReduceLROnPlateau", name, value, 0, Infinity);
    if (mode !== "min" && mode !== "max") refused("ReduceLROnPlateau", "mode", '"min" or "max"', mode);
    if (thresholdMode !== "rel" && thresholdMode !== "abs")
      refused("ReduceLROnPlateau", "thresholdMode", '"rel" or "abs"', thresholdMode);
    requireRange("ReduceLROnPlateau", "factor", factor, 0, 1);
    if (!(factor < 1)) throw new ConfigError(`ReduceLROnPlateau: factor must be below 1, got ${factor}`);
    this.optimizer = optimizer;
    this.options = { mode, factor, patience, threshold, thresholdMode, cooldown, minLr, eps };
    this.best = mode === "min" ? Infinity : -Infinity;
  }

  /** Rate of the first group. */
  get lr(): number {
    return this.optimizer.lr;
  }

  /** Takes the metric of one more epoch. */
  step(metric: number): void {
    expectArguments("ReduceLROnPlateau.step", "number", { metric });
    this.optimizer.expectOutside("a scheduler's step");
    const { factor, patience, cooldown, minLr, eps } = this.options;
    if (this.improved(metric)) {
      this.best = metric;
      this.bad = 0;
    } else {
      this.bad++;
    }
    if (this.waiting > 0) {
      this.waiting--;
      this.bad = 0;
    }
    if (this.bad <= patience) return;
    this.waiting = cooldown;
    this.bad = 0;
    this.optimizer.rates = this.rates.map((rate) => {
      const lower = Math.max(rate * factor, minLr);
      return rate - lower > eps ? lower : rate;
    });
    this.exact = this.optimizer.rates;
  }

  /** The optimizer's rates with the digits that a state of it loses, which has them as f32. */
  private get rates(): readonly number[] {
    return this.optimizer.rates.map((rate, group) => {
      const exact = this.exact[group] ?? rate;
      return Math.fround(exact) === Math.fround(rate) ? exact : rate;
    });
  }

  private improved(metric: number): boolean {
    const { mode, threshold, thresholdMode } = this.options;
    const { best } = this;
    if (mode === "min") return metric < (thresholdMode === "rel" ? best * (1 - threshold) : best - threshold);
    return metric > (thresholdMode === "rel" ? best * (threshold + 1) : best + threshold);
  }

  /** What to store to go on later: the rates of the groups too, of which the optimizer's own state has fewer digits. */
  get state(): readonly [best: number, bad: number, waiting: number, ...rates: number[]] {
    return [this.best, this.bad, this.waiting, ...this.rates];
  }

  set state(state: readonly [number, number, number, ...number[]]) {
    expectArguments("ReduceLROnPlateau", "numbers", { state });
    const [best, bad, waiting, ...rates] = state;
    if (Number.isNaN(best)) throw new ConfigError("ReduceLROnPlateau: the best metric of the state is NaN");
    requireRange("ReduceLROnPlateau", "bad epochs of the state", bad, 0, Infinity);
    requireRange("ReduceLROnPlateau", "waiting epochs of the state", waiting, 0, Infinity);
    this.best = best;
    this.bad = bad;
    this.waiting = waiting;
    this.exact = rates;
  }
}
