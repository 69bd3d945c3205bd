/** @file PyTorch's optimisers, with clipping and schedulers: the parameter and the rate after each step. */
import { parameter, type Tensor } from "../../../src/index.ts";
import * as nn from "../../../src/nn/index.ts";
import { NotCovered, wave, type Adapter, type Adapters } from "../format.ts";
import { camel } from "../../lib/names.ts";
import { device } from "../device.ts";

const optimizers: Record<string, new (params: any, options: any) => nn.Optimizer> = {
  Adam: nn.Adam,
  AdamW: nn.AdamW,
  SGD: nn.SGD,
  RMSprop: nn.RMSprop,
};

/** nnU-Net's, with names of its own for the options. */
class NnUNetPoly extends nn.PolynomialLR {
  constructor(optimizer: nn.Optimizer, options: any) {
    super(optimizer, { power: 0.9, ...options });
  }
}

const schedulers: Record<string, new (optimizer: nn.Optimizer, options: any) => nn.Scheduler | nn.ReduceLROnPlateau> = {
  StepLR: nn.StepLR,
  MultiStepLR: nn.MultiStepLR,
  ExponentialLR: nn.ExponentialLR,
  CosineAnnealingLR: nn.CosineAnnealingLR,
  PolynomialLR: nn.PolynomialLR,
  LinearLR: nn.LinearLR,
  OneCycleLR: nn.OneCycleLR,
  ReduceLROnPlateau: nn.ReduceLROnPlateau,
  PolyLRScheduler: NnUNetPoly,
};

/** Upstream names that are not voxgrad's in snake_case. */
const renamed: Record<string, string> = { T_max: "tMax", max_steps: "totalIters", exponent: "power" };

// Options that change nothing here: how torch runs a step, not what it computes.
const neutral = new Set(["foreach", "fused", "capturable", "differentiable", "last_epoch", "verbose"]);

const known: Record<string, readonly string[]> = {
  optimizer: "lr betas eps weight_decay momentum dampening nesterov alpha centered amsgrad maximize".split(" "),
  scheduler: (
    "step_size gamma milestones T_max eta_min total_iters power initial_lr max_steps exponent start_factor end_factor max_lr total_steps epochs steps_per_epoch pct_start " +
    "anneal_strategy cycle_momentum base_momentum max_momentum div_factor final_div_factor three_phase mode factor patience threshold " +
    "threshold_mode cooldown min_lr eps"
  ).split(" "),
};

const plain = (v: any): any => (ArrayBuffer.isView(v?.data) ? Array.from(v.data as Float32Array) : v);

/** torch's option names to voxgrad's. */
function options(kind: string, args: Record<string, any>): Record<string, any> {
  const result: Record<string, any> = {};
  for (const [k, v] of Object.entries(args)) {
    if (neutral.has(k)) continue;
    if (!known[kind].includes(k)) throw new NotCovered(`option ${k}`);
    if (k !== "initial_lr") result[renamed[k] ?? camel(k)] = plain(v);
  }
  if ("epochs" in result) result.totalSteps ??= result.epochs * result.stepsPerEpoch;
  return result;
}

/** An optimiser by torch's name and option names. Throws `NotCovered` for one that voxgrad lacks. */
export function makeOptimizer(name: string, parameters: readonly Tensor[], args: Record<string, any>): nn.Optimizer {
  if (!optimizers[name]) throw new NotCovered(`optimiser ${name}`);
  return new optimizers[name](parameters, options("optimizer", args));
}

type Found = readonly [name: string, options: Record<string, any>];

/** `StepLR(step_size=2, gamma=0.5)`, or a name alone. */
function parsed(text: string): Found | undefined {
  const [, name, inner = ""] = /^(?:[\w.]+\.)?(\w+?)(?:\((.*)\))?$/.exec(text) ?? [];
  if (!schedulers[name]) return undefined;
  const pairs = [...inner.matchAll(/(\w+)\s*=\s*(\[[^\]]*\]|[^,]+)/g)].map(([, k, v]) => {
    const json = v
      .trim()
      .replace(/^True$/, "true")
      .replace(/^False$/, "false")
      .replaceAll("'", '"');
    return [k, JSON.parse(json)];
  });
  return [name, Object.fromEntries(pairs)];
}

/**
 * The scheduler among the options that are not the optimiser's: a name, a call as text, `["StepLR", options]`, `{ StepLR: options }` or
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
    else if (Array.isArray(v) && typeof v[0] === "string" && take(parsed(v[0]))) result = { ...result, ...v[1] };
    else if (typeof v === "object" && v !== null && !Array.isArray(v) && !ArrayBuffer.isView(v.data)) {
      const inner = schedulerOf(v);
      if (inner) take(inner);
      else result = { ...result, ...v };
    } else result[k] = v;
  }
  return name === undefined ? undefined : [name, result];
}

/** `wave((4,),1,0.5,t,0)`: shape, a, b, c, d; `t` is the step. */
function formula(text: string, t: number) {
  const [, sizes, rest] = /wave\(\(([\d,\s]*)\),(.*?)\)/.exec(text) ?? [];
  if (rest === undefined) throw new NotCovered(`input ${text}`);
  const [a, b, c, d] = rest.split(",").map((v) => (v.trim() === "t" ? t : Number(v)));
  const shape = sizes.split(",").filter((s) => s.trim() !== "");
  return wave({ shape: shape.map(Number), a, b, c, d });
}

/** Number t of a list of metrics, or of its formula. */
function metricOf(inputs: Record<string, any>, args: Record<string, any>, t: number): number {
  const given = inputs.metrics ?? inputs.metric ?? inputs.metric_t ?? args.metrics ?? args.metric;
  const list = plain(given);
  if (typeof list === "number") return list;
  if (!Array.isArray(list) || typeof list[t] !== "number") throw new NotCovered(`metric ${JSON.stringify(given)}`);
  return list[t];
}

const steps =
  (op: string): Adapter =>
  async ({ args, inputs, expected }) => {
    const dev = await device();
    const {
      clip_grad_norm,
      max_norm,
      clip_grad_value,
      clip_value,
      metric,
      metrics,
      steps: _,
      optimizer: named = "SGD",
      ...rest
    } = args;
    const [, ownName, standalone] = /^optim\.(?:lr_scheduler|(\w+))[.+]?(\w+)?$/.exec(op) ?? [];
    const name = ownName ?? named;
    const own = (k: string) => known.optimizer.includes(k) || (neutral.has(k) && k !== "last_epoch");
    const others = Object.entries(rest).filter(([k]) => !own(k));
    const scheduled = schedulerOf({ ...(standalone ? { scheduler: standalone } : {}), ...Object.fromEntries(others) });
    if (!scheduled && others.length > 0) throw new NotCovered(`options ${others.map(([k]) => k).join(", ")}`);
    const p = parameter(dev.tensor(formula(inputs.p0, 0)));
    const optimizer = makeOptimizer(name, [p], Object.fromEntries(Object.entries(rest).filter(([k]) => own(k))));
    const scheduler = scheduled && new schedulers[scheduled[0]](optimizer, options("scheduler", scheduled[1]));
    const states: unknown[] = [];
    for (let t = 0; t < expected.length; t++) {
      const gradient = dev.tensor(formula(inputs.grad_t, t));
      optimizer.step([gradient], { clipNorm: clip_grad_norm ?? max_norm, clipValue: clip_grad_value ?? clip_value });
      gradient.dispose();
      scheduler?.step(scheduled?.[0] === "ReduceLROnPlateau" ? metricOf(inputs, { metric, metrics }, t) : 0);
      states.push({ p: Array.from((await p.data()) as Float32Array), lr: optimizer.lr });
    }
    optimizer.dispose();
    p.dispose();
    return states;
  };

const names = [
  ...Object.keys(optimizers).map((n) => `optim.${n}`),
  ...Object.keys(optimizers).flatMap((n) => Object.keys(schedulers).map((s) => `optim.${n}+${s}`)),
  ...Object.keys(schedulers).map((n) => `optim.lr_scheduler.${n}`),
];

export const adapters: Adapters = Object.fromEntries(names.map((op) => [op, steps(op)]));
