/** @file `capture(fn)` makes a step of a function: traced and planned once per shape of its inputs, then replayed. */

import type { Device } from "./device.ts";
import { ConfigError, ShapeError } from "../host/errors.ts";
import { sizeOf } from "../host/array.ts";
import { ambientModes, modesVersion } from "./modes.ts";
import { type CapturedPlan, Plan } from "./plan.ts";
import { type CaptureInput, dtypeOf } from "./plan_inputs.ts";
import { type CaptureResult } from "./plan_result.ts";
import { sharedScratch } from "./plan_memory.ts";
import { expectOptions } from "../host/options.ts";
import { showShape } from "../host/shape.ts";
import { Tensor } from "./tensor.ts";
import { expectArguments } from "../host/kinds.ts";
import { expectDevice } from "./kind.ts";

export type { CapturedPlan, CaptureInput, CaptureResult };

/** Options of `capture`, `Predictor`. */
export interface CaptureOptions {
  /**
   * Bytes that plans may take together beside the largest of them, 256 MiB by default: of inputs of many shapes, those that were used least
   * recently are traced again when they come back.
   */
  readonly maxPlanBytes?: number | undefined;
}

/** The names of these options. @internal */
export const captureNames = "maxPlanBytes";

/** A captured function: call it as the one it was made of. */
export interface Captured<R extends CaptureResult> {
  /**
   * Replays the step. The result's tensors are overwritten by the next call with the same shapes and are stale from then on: to use one throws
   * `ConfigError`. They need no `dispose`. Throws `ConfigError` or `ShapeError` for inputs that cannot be copied in, and what `fn` throws
   * when a shape is new.
   */
  (...inputs: CaptureInput[]): R;
  /**
   * Traces, plans and compiles without running, off the main thread where the platform can. Call it first to show progress. `onProgress` hears of pipelines
   * compiled, `done` of `total`.
   */
  prepare(inputs: readonly CaptureInput[], onProgress?: (done: number, total: number) => void): Promise<CapturedPlan>;
  /** The plan used last. */
  readonly plan: CapturedPlan | undefined;
  /** Frees the buffers of all plans. */
  dispose(): void;
}

const defaultMaxPlanBytes = 2 ** 28;

function expectInputs(device: Device, inputs: readonly CaptureInput[]): void {
  inputs.forEach((x, i) => {
    const name = `capture: input ${i}`;
    if (x instanceof Tensor) {
      if (x.device !== device) throw new ConfigError(`${name} is on another device`);
      x.storage.memory(); // throws if there is none
    } else if (!x?.data || !x.shape) {
      throw new ConfigError(`${name} is neither a tensor nor a host array { data, shape }`);
    } else if (sizeOf(x.shape) !== x.data.length) {
      throw new ShapeError(`${name}: ${x.data.length} values do not fill the shape ${showShape(x.shape)}`);
    }
  });
}

/** Plans of one function by the shapes and modes that they are for. */
class Plans<R extends CaptureResult> {
  latest: Plan<R> | undefined;
  // The one used last is the last one.
  private readonly all = new Map<Plan<R>, string>();
  private readonly device: Device;
  private readonly maxBytes: number;
  private key = "";
  private modes = -1;

  constructor(device: Device, maxBytes: number) {
    this.device = device;
    this.maxBytes = maxBytes;
  }

  /** The plan for `inputs` in the modes of now, if it is known and up to date. */
  find(inputs: readonly CaptureInput[]): Plan<R> | undefined {
    const key = `${ambientModes()} ${inputs.map((x) => x.shape.join("x") + dtypeOf(x)).join(" ")}`;
    this.key = key;
    const { latest } = this;
    if (latest && this.all.get(latest) === key && modesVersion() === this.modes && !latest.stale) return latest;
    for (const [plan, of] of this.all) {
      if (of !== key) continue;
      if (plan.stale) this.drop(plan);
      else if (plan.inMode) return this.use(plan);
    }
    return undefined;
  }

  /** Takes in a plan for the inputs that were looked for last. */
  add(plan: Plan<R>): Plan<R> {
    this.use(plan);
    this.shed();
    return plan;
  }

  dispose(): void {
    for (const plan of this.all.keys()) this.drop(plan);
  }

  private use(plan: Plan<R>): Plan<R> {
    this.all.delete(plan);
    this.all.set(plan, this.key);
    this.modes = modesVersion();
    return (this.latest = plan);
  }

  private drop(plan: Plan<R>): void {
    plan.dispose();
    this.all.delete(plan);
    if (this.latest === plan) this.latest = undefined;
  }

  private shed(): void {
    for (const oldest of this.all.keys()) {
      const plans = [...this.all.keys()];
      const own = plans.reduce((sum, p) => sum + p.ownBytes - p.memory.scratch, 0);
      const excess = own + sharedScratch(plans.map((p) => p.scratch)) - Math.max(...plans.map((p) => p.ownBytes)) - this.maxBytes;
      if (excess <= 0 || oldest === this.latest) return;
      const { pooled } = this.device.memory;
      this.drop(oldest);
      // Its sizes may never come back.
      this.device.pool.shed(this.device.memory.pooled - pooled);
    }
  }
}

/**
 * Makes a step of `fn`, which must be synchronous and the same for inputs of the same shapes: what it does with host values while traced
 * is done once. Values that change per step live on the device. The modes of modules (`train`, `eval`, `freeze`), `noGrad` and `withPrecision` around
 * the call are followed: a plan is for the modes it was traced in. Throws what `fn` throws.
 */
export function capture<R extends CaptureResult>(
  device: Device,
  fn: (...inputs: Tensor[]) => R,
  options: CaptureOptions = {},
): Captured<R> {
  expectOptions("capture", options, captureNames);
  expectDevice("capture", device);
  expectArguments("capture", "function", { fn });
  const { maxPlanBytes = defaultMaxPlanBytes } = options;
  if (!(maxPlanBytes >= 0)) throw new ConfigError(`capture: maxPlanBytes must be at least 0, got ${maxPlanBytes}`);
  const plans = new Plans<R>(device, maxPlanBytes);

  const planFor = (inputs: readonly CaptureInput[]): Plan<R> => {
    device.check();
    if (device.capturing) throw new ConfigError("capture: a captured step cannot run inside another capture");
    expectInputs(device, inputs);
    const known = plans.find(inputs);
    if (known) return known;
    // Traced again when tensors moved, as an optimizer packs its parameters when it is made, or were replaced.
    for (let attempt = 0; attempt < 3; attempt++) {
      const plan = new Plan(device, inputs, fn);
      if (!plan.stale) return plans.add(plan);
      plan.dispose();
    }
    throw new ConfigError(
      "capture: the step moves or disposes tensors of the outside each time it is traced; create optimizers outside of it",
    );
  };

  const step = (...inputs: CaptureInput[]): R => {
    const plan = planFor(inputs);
    plan.load(inputs);
    plan.replay();
    return plan.result;
  };

  return Object.defineProperty(
    Object.assign(step, {
      async prepare(inputs: readonly CaptureInput[], onProgress?: (done: number, total: number) => void): Promise<CapturedPlan> {
        expectArguments("capture: prepare", "list", { inputs });
        const plan = planFor(inputs);
        await plan.compile(onProgress);
        return plan;
      },
      dispose: () => plans.dispose(),
    }),
    "plan",
    { get: () => plans.latest },
  ) as Captured<R>;
}
