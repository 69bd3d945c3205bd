/** @file Learning rates as pure functions of the step: PyTorch's closed forms. Step 0 is the first update. */

import { expectArguments } from "../../host/kinds.ts";
import { ConfigError } from "../../host/errors.ts";
import { expectOptions } from "../../host/options.ts";

/** Learning rate of step `step` (0, 1, 2, …) from the optimizer's own rate `base`. */
export type Schedule = (step: number, base: number) => number;

function require(schedule: string, name: string, ok: boolean, value: unknown, expected: string): void {
  if (!ok) throw new ConfigError(`${schedule}: ${name} must be ${expected}, got ${String(value)}`);
}

const requireCount = (schedule: string, name: string, value: number): void =>
  require(schedule, name, Number.isInteger(value) && value > 0, value, "a positive integer");

/** Options of `stepDecay`, `StepLR`. */
export interface StepDecayOptions {
  /** Steps between decays. */
  readonly stepSize: number;
  /** Default 0.1. */
  readonly gamma?: number;
}

/** base · gamma^⌊step / stepSize⌋. */
export function stepDecay(options: StepDecayOptions): Schedule {
  expectOptions("stepDecay", options, "stepSize:number! gamma:number");
  const { stepSize, gamma = 0.1 } = options;
  requireCount("stepDecay", "stepSize", stepSize);
  return (step, base) => base * gamma ** Math.floor(step / stepSize);
}

/** Options of `multiStepDecay`, `MultiStepLR`. */
export interface MultiStepOptions {
  /** Steps at which the rate is multiplied by `gamma`. */
  readonly milestones: readonly number[];
  /** Default 0.1. */
  readonly gamma?: number;
}

/** base · gamma^(milestones reached). */
export function multiStepDecay(options: MultiStepOptions): Schedule {
  expectOptions("multiStepDecay", options, "milestones:numbers! gamma:number");
  const { milestones, gamma = 0.1 } = options;
  return (step, base) => base * gamma ** milestones.filter((m) => m <= step).length;
}

/** Options of `exponentialDecay`, `ExponentialLR`. */
export interface ExponentialOptions {
  /** Factor of each step. */
  readonly gamma: number;
}

/** base · gamma^step. */
export function exponentialDecay(options: ExponentialOptions): Schedule {
  expectOptions("exponentialDecay", options, "gamma:number!");
  const { gamma } = options;
  return (step, base) => base * gamma ** step;
}

/** Options of `cosineAnnealing`, `CosineAnnealingLR`. */
export interface CosineOptions {
  /** Steps from the base to the minimum; after as many more the rate is back. */
  readonly tMax: number;
  /** Default 0. */
  readonly etaMin?: number;
}

/** etaMin + (base − etaMin) · (1 + cos(π · step / tMax)) / 2 (Loshchilov and Hutter 2017, without restarts). */
export function cosineAnnealing(options: CosineOptions): Schedule {
  expectOptions("cosineAnnealing", options, "tMax:number! etaMin:number");
  const { tMax, etaMin = 0 } = options;
  require("cosineAnnealing", "tMax", tMax > 0, tMax, "positive");
  return (step, base) => etaMin + ((base - etaMin) * (1 + Math.cos((Math.PI * step) / tMax))) / 2;
}

/** Options of `cosineWarmRestarts`, `CosineAnnealingWarmRestarts`. */
export interface CosineWarmRestartsOptions {
  /** Steps of the first cycle. */
  readonly t0: number;
  /** How many times as long as the one before each cycle is, a whole number; default 1. */
  readonly tMult?: number;
  /** Default 0. */
  readonly etaMin?: number;
}

/** Half a cosine from base towards etaMin, again and again (Loshchilov and Hutter 2017). */
export function cosineWarmRestarts(options: CosineWarmRestartsOptions): Schedule {
  expectOptions("cosineWarmRestarts", options, "t0:number! tMult:number etaMin:number");
  const { t0, tMult = 1, etaMin = 0 } = options;
  requireCount("cosineWarmRestarts", "t0", t0);
  requireCount("cosineWarmRestarts", "tMult", tMult);
  return (step, base) => {
    let length = t0;
    let at = tMult === 1 ? step % t0 : step;
    while (at >= length) {
      at -= length;
      length *= tMult;
    }
    return etaMin + ((base - etaMin) * (1 + Math.cos((Math.PI * at) / length))) / 2;
  };
}

/** Options of `polynomialDecay`, `PolynomialLR`. */
export interface PolynomialOptions {
  /** Steps until 0; default 5. */
  readonly totalIters?: number;
  /** Default 1. nnU-Net uses 0.9. */
  readonly power?: number;
}

/** base · (1 − min(step, totalIters) / totalIters)^power. */
export function polynomialDecay(options: PolynomialOptions = {}): Schedule {
  expectOptions("polynomialDecay", options, "totalIters:number power:number");
  const { totalIters = 5, power = 1 } = options;
  requireCount("polynomialDecay", "totalIters", totalIters);
  return (step, base) => base * (1 - Math.min(step, totalIters) / totalIters) ** power;
}

/** Options of `linearRamp`, `LinearLR`. */
export interface LinearRampOptions {
  /** Default 1/3. */
  readonly startFactor?: number;
  /** Default 1. */
  readonly endFactor?: number;
  /** Default 5. */
  readonly totalIters?: number;
}

/** base times a factor that goes from `startFactor` to `endFactor` over `totalIters` steps and stays there. */
export function linearRamp(options: LinearRampOptions = {}): Schedule {
  expectOptions("linearRamp", options, "startFactor:number endFactor:number totalIters:number");
  const { startFactor = 1 / 3, endFactor = 1, totalIters = 5 } = options;
  require("linearRamp", "startFactor", startFactor > 0 && startFactor <= 1, startFactor, "in (0, 1]");
  require("linearRamp", "endFactor", endFactor >= 0 && endFactor <= 1, endFactor, "in [0, 1]");
  require("linearRamp", "totalIters", totalIters >= 0, totalIters, "at least 0");
  // Of no steps it stays where it begins, as PyTorch's.
  const share = (step: number) => (totalIters === 0 ? 0 : Math.min(1, step / totalIters));
  return (step, base) => base * (startFactor + (endFactor - startFactor) * share(step));
}

/** Options of `warmUp`. */
export interface WarmUpOptions {
  /** Steps of the warm-up. */
  readonly steps: number;
  /** Default 1/3. */
  readonly startFactor?: number;
}

/** A linear warm-up, then `schedule` from its own step 0: MONAI's and PyTorch's `SequentialLR` of a `LinearLR` and another one. */
export function warmUp(schedule: Schedule, options: WarmUpOptions): Schedule {
  expectOptions("warmUp", options, "steps:number! startFactor:number");
  expectArguments("warmUp", "function", { schedule });
  const { steps, startFactor } = options;
  requireCount("warmUp", "steps", steps);
  return inTurn([linearRamp({ startFactor, totalIters: steps }), schedule], [steps]);
}

/** One schedule after the other, each from its own step 0; `milestones[i]` is where schedule i + 1 begins. */
export function inTurn(schedules: readonly Schedule[], milestones: readonly number[]): Schedule {
  expectArguments("inTurn", "list", { schedules });
  schedules.forEach((schedule, i) => expectArguments("inTurn", "function", { [`schedules[${i}]`]: schedule }));
  expectArguments("inTurn", "numbers", { milestones });
  require("inTurn", "milestones", milestones.length ===
    schedules.length - 1, `${milestones.length} for ${schedules.length} schedules`, "one fewer than schedules");
  const ordered = milestones.every((m, i) => i === 0 || m >= milestones[i - 1]);
  require("inTurn", "milestones", ordered, milestones.join(", "), "in ascending order");
  return (step, base) => {
    const at = milestones.filter((m) => m <= step).length;
    return schedules[at](at === 0 ? step : step - milestones[at - 1], base);
  };
}

/** Options of `oneCycle`. */
export interface OneCycleOptions {
  /** Rate at the peak. */
  readonly maxLr: number;
  /** All updates of the run. */
  readonly totalSteps: number;
  /** Share of the run in which the rate grows; default 0.3. */
  readonly pctStart?: number;
  /** Default "cos". */
  readonly annealStrategy?: "cos" | "linear";
  /** The first rate is maxLr / divFactor; default 25. */
  readonly divFactor?: number;
  /** The last rate is the first one / finalDivFactor; default 1e4. */
  readonly finalDivFactor?: number;
  /** Down to the first rate as long as up, then to the last one; default false: down to the last one at once. */
  readonly threePhase?: boolean;
}

/** The rate `lr` of a `step`, counted from 0, and the place of the `momentum` between its largest (1) and smallest (0) value. */
export type Cycle = (step: number) => { lr: number; momentum: number };

interface Phase {
  readonly end: number;
  readonly lr: readonly [number, number];
  /** Whether momentum falls, rises or stays at the top. */
  readonly momentum: readonly [0 | 1, 0 | 1];
}

/** The 1cycle policy (Smith and Topin 2019): `lr` and the place of the momentum between its largest (1) and smallest (0) value. The `step` counts from 0. */
export function oneCycle(options: OneCycleOptions): Cycle {
  expectOptions(
    "oneCycle",
    options,
    "maxLr:number! totalSteps:number! pctStart:number annealStrategy divFactor:number finalDivFactor:number threePhase:boolean",
  );
  const {
    maxLr,
    totalSteps,
    pctStart = 0.3,
    annealStrategy = "cos",
    divFactor = 25,
    finalDivFactor = 1e4,
    threePhase = false,
  } = options;
  requireCount("oneCycle", "totalSteps", totalSteps);
  require("oneCycle", "annealStrategy", ["cos", "linear"].includes(annealStrategy), annealStrategy, '"cos" or "linear"');
  require("oneCycle", "pctStart", pctStart >= 0 && pctStart <= 1, pctStart, "in [0, 1]");
  const first = maxLr / divFactor;
  const last = first / finalDivFactor;
  const up = pctStart * totalSteps - 1;
  const phases: Phase[] = threePhase
    ? [
        { end: up, lr: [first, maxLr], momentum: [1, 0] },
        { end: 2 * pctStart * totalSteps - 2, lr: [maxLr, first], momentum: [0, 1] },
        { end: totalSteps - 1, lr: [first, last], momentum: [1, 1] },
      ]
    : [
        { end: up, lr: [first, maxLr], momentum: [1, 0] },
        { end: totalSteps - 1, lr: [maxLr, last], momentum: [0, 1] },
      ];
  const anneal = ([from, to]: readonly [number, number], share: number) =>
    annealStrategy === "linear" ? from + (to - from) * share : to + ((from - to) / 2) * (1 + Math.cos(Math.PI * share));
  return (step) => {
    // A scheduler that is stepped after the last update too asks for one step more, where the last phase goes on.
    if (step > totalSteps) throw new ConfigError(`oneCycle: step ${step} is beyond the ${totalSteps} of this schedule`);
    const found = phases.findIndex((phase) => step <= phase.end);
    const at = found < 0 ? phases.length - 1 : found;
    const phase = phases[at];
    const start = at === 0 ? 0 : phases[at - 1].end;
    const share = (step - start) / (phase.end - start);
    return { lr: anneal(phase.lr, share), momentum: anneal(phase.momentum, share) };
  };
}

/** Options of `cyclic`, `CyclicLR`. */
export interface CyclicOptions {
  /** Rate at the ends of a cycle, in place of the optimizer's own. */
  readonly baseLr: number;
  /** Rate at the top of the first cycle. */
  readonly maxLr: number;
  /** Steps up; default 2000. */
  readonly stepSizeUp?: number;
  /** Steps down; default as many as up. */
  readonly stepSizeDown?: number;
  /** Cycles of one height; of half the height of the one before; of a height that decays by `gamma` each step. Default "triangular". */
  readonly mode?: "triangular" | "triangular2" | "exp_range";
  /** Default 1. */
  readonly gamma?: number;
}

const heights: Readonly<Record<NonNullable<CyclicOptions["mode"]>, (cycle: number, step: number, gamma: number) => number>> = {
  triangular: () => 1,
  triangular2: (cycle) => 2 ** -cycle,
  exp_range: (_, step, gamma) => gamma ** step,
};

/** Up and down again in straight lines (Smith 2017). The `step` counts from 0. */
export function cyclic(options: CyclicOptions): Cycle {
  expectOptions("cyclic", options, "baseLr:number! maxLr:number! stepSizeUp:number stepSizeDown:number mode gamma:number");
  const { baseLr, maxLr, stepSizeUp = 2000, stepSizeDown = stepSizeUp, mode = "triangular", gamma = 1 } = options;
  require("cyclic", "stepSizeUp", stepSizeUp > 0, stepSizeUp, "positive");
  require("cyclic", "stepSizeDown", stepSizeDown > 0, stepSizeDown, "positive");
  require("cyclic", "mode", Object.hasOwn(heights, mode), mode, Object.keys(heights).join(", "));
  return (step) => {
    const length = stepSizeUp + stepSizeDown;
    const cycle = Math.floor(step / length);
    const at = step - cycle * length;
    const share = at <= stepSizeUp ? at / stepSizeUp : (length - at) / stepSizeDown;
    const height = share * heights[mode](cycle, step, gamma);
    return { lr: baseLr + (maxLr - baseLr) * height, momentum: 1 - height };
  };
}
