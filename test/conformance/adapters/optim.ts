/** @file PyTorch's optimizers, with clipping and schedulers: the parameter and the rate after each step. */
import { parameter, type Tensor } from "../../../src/index.ts";
import * as nn from "../../../src/nn/index.ts";
import { NotCovered, UnknownOption, wave, type Adapter, type Adapters, type Families } from "../format.ts";
import { optimizers, schedulers as torchSchedulers } from "../../lib/optim.ts";
import { camel } from "../../lib/names.ts";
import { device } from "../device.ts";

type Schedule = (options: any) => nn.Schedule;

/** A schedule of voxgrad that PyTorch or MONAI has as a class. */
const scheduled = (schedule: Schedule) =>
  class extends nn.Scheduler {
    constructor(optimizer: nn.Optimizer, options: any) {
      super(optimizer, schedule(options));
    }
  };

/** nnU-Net's, with names of its own for the options. */
class NnUNetPoly extends nn.PolynomialLR {
  constructor(optimizer: nn.Optimizer, options: any) {
    super(optimizer, { power: 0.9, ...options });
  }
}

const schedulers: Record<string, new (optimizer: nn.Optimizer, options: any) => nn.Scheduler | nn.ReduceLROnPlateau> = {
  ...torchSchedulers,
  PolyLRScheduler: NnUNetPoly,
  SequentialLR: scheduled(({ schedulers: list, milestones }) => nn.inTurn(list.map(scheduleOf), milestones)),
  WarmUp: scheduled(warmUpOf),
};

/** Schedules that a `SequentialLR` is made of, as functions of their own steps. */
const schedules: Record<string, Schedule> = {
  StepLR: nn.stepDecay,
  MultiStepLR: nn.multiStepDecay,
  ExponentialLR: nn.exponentialDecay,
  CosineAnnealingLR: nn.cosineAnnealing,
  CosineAnnealingWarmRestarts: nn.cosineWarmRestarts,
  PolynomialLR: nn.polynomialDecay,
  LinearLR: nn.linearRamp,
};

/** Of a scheduler as it is written in the case. */
function scheduleOf(given: unknown): nn.Schedule {
  const [name, settings] = schedulerOf({ scheduler: given }) ?? [];
  const make = schedules[name ?? ""];
  if (!make) throw new NotCovered(`the scheduler ${JSON.stringify(given)} in a sequence`);
  return make(options("scheduler", name!, settings!));
}

/** Warm-up steps, then another schedule; alone it keeps the rate. */
function warmUpOf({ steps, warmupSteps, startFactor, scheduler, after }: any): nn.Schedule {
  const next = scheduler ?? after;
  return nn.warmUp(next ? scheduleOf(next) : (_, base) => base, { steps: steps ?? warmupSteps, startFactor });
}

/** Upstream names that are not voxgrad's in snake_case. */
const renamed: Record<string, string> = { T_max: "tMax", T_0: "t0", T_mult: "tMult", max_steps: "totalIters", exponent: "power" };

// Options that change nothing here: how torch runs a step, not what it computes.
const neutral = new Set(["foreach", "fused", "capturable", "differentiable", "last_epoch", "verbose"]);

const known = {
  optimizer: {
    Adam: "lr betas eps weight_decay amsgrad maximize",
    AdamW: "lr betas eps weight_decay amsgrad maximize",
    SGD: "lr momentum dampening weight_decay nesterov maximize",
    RMSprop: "lr alpha eps weight_decay momentum centered maximize",
    Adagrad: "lr lr_decay weight_decay initial_accumulator_value eps maximize",
    NAdam: "lr betas eps weight_decay momentum_decay decoupled_weight_decay maximize",
    RAdam: "lr betas eps weight_decay decoupled_weight_decay maximize",
  },
  scheduler: {
    StepLR: "step_size gamma",
    MultiStepLR: "milestones gamma",
    ExponentialLR: "gamma",
    CosineAnnealingLR: "T_max eta_min",
    CosineAnnealingWarmRestarts: "T_0 T_mult eta_min",
    CyclicLR: "base_lr max_lr step_size_up step_size_down mode gamma cycle_momentum base_momentum max_momentum",
    PolynomialLR: "total_iters power",
    LinearLR: "start_factor end_factor total_iters",
    OneCycleLR:
      "max_lr total_steps epochs steps_per_epoch pct_start anneal_strategy cycle_momentum base_momentum max_momentum div_factor final_div_factor three_phase",
    ReduceLROnPlateau: "mode factor patience threshold threshold_mode cooldown min_lr eps",
    PolyLRScheduler: "initial_lr max_steps exponent",
    SequentialLR: "schedulers milestones",
    WarmUp: "steps warmup_steps start_factor scheduler after",
  },
} as const satisfies Record<string, Record<string, string>>;

const every = new Set(Object.values(known.optimizer).flatMap((list) => list.split(" ")));

const plain = (v: any): any => (ArrayBuffer.isView(v?.data) ? Array.from(v.data as Float32Array) : v);

/** torch's option names to voxgrad's. Throws `UnknownOption`. */
function options(kind: keyof typeof known, name: string, args: Record<string, any>): Record<string, any> {
  const result: Record<string, any> = {};
  const names = (known[kind] as Record<string, string>)[name].split(" ");
  for (const [k, v] of Object.entries(args)) {
    if (neutral.has(k)) continue;
    if (!names.includes(k)) throw new UnknownOption(k, name);
    if (k !== "initial_lr" && v !== null) result[renamed[k] ?? camel(k)] = plain(v);
  }
  const { epochs, stepsPerEpoch, ...rest } = result;
  if (epochs !== undefined) rest.totalSteps ??= epochs * stepsPerEpoch;
  return rest;
}

/** An optimizer by torch's name and option names. Throws `NotCovered` for one that voxgrad lacks, `UnknownOption`. */
export function makeOptimizer(name: string, parameters: readonly Tensor[], args: Record<string, any>): nn.Optimizer {
  if (!optimizers[name]) throw new NotCovered(`optimizer ${name}`);
  return new optimizers[name](parameters, options("optimizer", name, args));
}

/** A scheduler as the case writes it, or none. Throws `UnknownOption` for what is neither a scheduler nor one of its options. */
export function makeScheduler(optimizer: nn.Optimizer, op: string, args: Record<string, any>) {
  const found = schedulerOf(args);
  const [other] = Object.keys(args);
  if (!found && other !== undefined) throw new UnknownOption(other, op);
  return found && { name: found[0], scheduler: new schedulers[found[0]](optimizer, options("scheduler", found[0], found[1])) };
}

type Found = readonly [name: string, options: Record<string, any>];

/** `StepLR(step_size=2, gamma=0.5)`, or a name alone. */
function parsed(text: string): Found | undefined {
  const [, name, inner = ""] = /^(?:[\w.]+\.)?(\w+?)(?:\((.*)\))?$/.exec(text) ?? [];
  if (!schedulers[name]) return undefined;
  const pairs = [...inner.matchAll(/(\w+)\s*=\s*(\[[^\]]*\]|\([^)]*\)|[^,]+)/g)].map(([, k, v]) => {
    const json = v
      .trim()
      .replace(/^True$/, "true")
      .replace(/^False$/, "false")
      .replace(/^None$/, "null")
      .replace(/^\((.*?),?\)$/, "[$1]")
      .replaceAll("'", '"');
    return [k, JSON.parse(json)];
  });
  return [name, Object.fromEntries(pairs)];
}

// Options that hold schedulers themselves.
const nestedOptions = new Set(["schedulers", "after"]);

/**
 * The scheduler among the options that are not the optimizer's: a name, a call as text, `["StepLR", options]`, `{ StepLR: options }` or
 * `{ name, … }`; options may also lie beside the name.
 */
function schedulerOf(args: Record<string, any>): Found | undefined {
  let name: string | undefined;
  let result: Record<string, any> = {};
  const take = (found: Found | undefined) => {
    if (!found) return false;
    name = found[0];
    result = { ...result, ...found[1] };
    return true;
  };
  for (const [k, v] of Object.entries(args)) {
    if (typeof v === "string" && take(parsed(v))) continue;
    if (schedulers[k]) take([k, v ?? {}]);
    else if (v === null && /sched/i.test(k)) continue;
    else if (nestedOptions.has(k)) result[k] = v;
    else if (Array.isArray(v) && typeof v[0] === "string" && take(parsed(v[0]))) result = { ...result, ...v[1] };
    else if (typeof v === "object" && v !== null && !Array.isArray(v) && !ArrayBuffer.isView(v.data)) {
      const inner = schedulerOf(v);
      if (inner) take(inner);
      else result = { ...result, ...v };
    } else result[k] = v;
  }
  return name === undefined ? undefined : [name, result];
}

/** `0.3 + 2*t`, a sum of numbers and multiples of the step. */
function linear(text: string, t: number): number {
  const terms = text.replace(/\s/g, "").match(/[+-]?[^+-]+(?:e[+-]\d+)?/g) ?? [];
  return terms.reduce((total, term) => {
    const sign = term.startsWith("-") ? -1 : 1;
    const factors = term.replace(/^[+-]/, "").split("*");
    return total + factors.reduce((product, f) => product * (f === "t" ? t : Number(f)), sign);
  }, 0);
}

/** An array, or `wave((4,),1,0.5,t,0)`: shape, a, b, c, d; `t` is the step. */
function formula(given: any, t: number) {
  if (ArrayBuffer.isView(given?.data)) return given;
  const [, sizes, rest] = /wave\(\(([\d,\s]*)\),(.*?)\)/.exec(given) ?? [];
  if (rest === undefined) throw new NotCovered(`input ${given}`);
  const [a, b, c, d] = rest.split(",").map((v) => linear(v, t));
  const shape = sizes.split(",").filter((s) => s.trim() !== "");
  return wave({ shape: shape.map(Number), a, b, c, d });
}

/** The gradient of step t: by the formula, or from a list with one per step. */
const gradientOf = (given: any, t: number) => formula(Array.isArray(given) ? given[t] : given, t);

const isMetric = (name: string): boolean => /^(?:metric|val|score|loss|monitor)/i.test(name);

/** Number t of a list of metrics; one number, or none at all, is a metric that never changes. */
function metricOf(given: unknown, t: number): number {
  const text = typeof given === "string" ? /\[[^\]]*\]/.exec(given)?.[0] : undefined;
  const list = text ? JSON.parse(text) : plain(given);
  if (given === undefined) return 1;
  if (typeof list === "number") return list;
  if (!Array.isArray(list) || typeof list[t] !== "number") throw new NotCovered(`metric ${JSON.stringify(given)}`);
  return list[t];
}

const own = (k: string) => every.has(k) || (neutral.has(k) && k !== "last_epoch");
const among = (record: Record<string, any>, test: (k: string) => boolean) =>
  Object.fromEntries(Object.entries(record).filter(([k]) => test(k)));

const steps: Adapter = async ({ op, args, inputs, expected }) => {
  const dev = await device();
  const { clip_grad_norm, max_norm, clip_grad_value, clip_value, steps: _, optimizer: given = "SGD", ...rest } = args;
  const [, ownName, standalone] = /^(?:torch\.)?optim\.(?:lr_scheduler|(\w+))[.+]?(\w+)?/.exec(op) ?? [];
  const only = /[.+](\w+\(.*\))$/.exec(op)?.[1] ?? (schedulers[ownName] ? ownName : standalone);
  const { name: named, ...hyper } = typeof given === "string" ? { name: given } : given;
  const p = parameter(dev.tensor(formula(inputs.p0, 0)));
  const name = !ownName || schedulers[ownName] ? named : ownName;
  const optimizer = makeOptimizer(name, [p], { ...hyper, ...among(rest, (k) => own(k) && belongs(name, k)) });
  const metric = Object.entries({ ...inputs, ...rest }).find(([k]) => isMetric(k))?.[1];
  const others = among(rest, (k) => !(own(k) && belongs(name, k)) && !isMetric(k));
  const made = makeScheduler(optimizer, op, only ? { scheduler: only, ...others } : others);
  const states: unknown[] = [];
  for (let t = 0; t < expected.length; t++) {
    const gradient = dev.tensor(gradientOf(inputs.grad_t ?? inputs.grads, t));
    optimizer.step([gradient], { clipNorm: clip_grad_norm ?? max_norm, clipValue: clip_grad_value ?? clip_value });
    gradient.dispose();
    made?.scheduler.step(made.name === "ReduceLROnPlateau" ? metricOf(metric, t) : 0);
    states.push({ p: Array.from((await p.data()) as Float32Array), lr: optimizer.lr });
  }
  optimizer.dispose();
  p.dispose();
  return states;
};

/** Whether an option lies with the optimizer; its scheduler's `eps` or `factor` may lie beside it. */
const belongs = (name: string, option: string): boolean =>
  neutral.has(option) || ((known.optimizer as Record<string, string>)[name]?.split(" ").includes(option) ?? false);

/** `optim.Adam`, `torch.optim.SGD`, `optim.SGD+StepLR`, `optim.lr_scheduler.StepLR`, `optim.StepLR`; voxgrad has to know both names. */
const pattern = new RegExp(
  `^(?:torch\\.)?optim\\.(?:(?:${Object.keys(optimizers).join("|")})(?:[.+](?:${Object.keys(schedulers).join("|")}))?|` +
    `(?:lr_scheduler\\.)?(?:${Object.keys(schedulers).join("|")}))(?:\\(.*\\))?$`,
);

export const adapters: Adapters = {};
export const families: Families = [[pattern, steps]];
