/** @file `capture(fn)` makes a step of a function: traced and planned once per shape of its inputs, then replayed. */

import type { Device } from "./device.ts";
import { ConfigError, ShapeError } from "../host/errors.ts";
import { sizeOf } from "../host/array.ts";
import { type CapturedPlan, type CaptureInput, type CaptureResult, dtypeOf, Plan } from "./plan.ts";
import { showShape } from "../host/shape.ts";
import { Tensor } from "./tensor.ts";

export type { CapturedPlan, CaptureInput, CaptureResult };

/** A step made by `capture`: call it with the inputs of `fn`. */
export interface Captured<R extends CaptureResult> {
  /**
   * Replays the step; the result's tensors are overwritten by the next call with the same shapes, so read them before. They need no
   * `dispose`. Throws `ConfigError` or `ShapeError` for inputs that cannot be copied in, and what `fn` throws when a shape is new.
   */
  (...inputs: CaptureInput[]): R;
  /** Traces, plans and compiles without running, off the main thread where the platform can. Call it first to show progress. */
  prepare(inputs: readonly CaptureInput[], onProgress?: (done: number, total: number) => void): Promise<CapturedPlan>;
  /** The plan used last. */
  readonly plan: CapturedPlan | undefined;
  /** Frees the buffers of all plans. */
  dispose(): void;
}

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

/**
 * Makes a step of `fn`, which must be synchronous and the same for inputs of the same shapes: what it does with host values while traced
 * is done once. Values that change per step live on the device. Throws what `fn` throws.
 */
export function capture<R extends CaptureResult>(device: Device, fn: (...inputs: Tensor[]) => R): Captured<R> {
  const plans = new Map<string, Plan<R>>();
  let latest: Plan<R> | undefined;

  const planFor = (inputs: readonly CaptureInput[]): Plan<R> => {
    device.check();
    if (device.capturing) throw new ConfigError("capture: a captured step cannot run inside another capture");
    expectInputs(device, inputs);
    const key = inputs.map((x) => x.shape.join("x") + dtypeOf(x)).join(" ");
    let plan = plans.get(key);
    // Traced again when tensors moved, as an optimizer packs its parameters when it is made, or were replaced.
    for (let attempt = 0; !plan || plan.stale; attempt++) {
      if (attempt === 3)
        throw new ConfigError(
          "capture: the step moves or disposes tensors of the outside each time it is traced; create optimizers outside of it",
        );
      plan?.dispose();
      plans.delete(key);
      latest = undefined;
      plan = new Plan(device, inputs, fn);
      plans.set(key, plan);
    }
    latest = plan;
    return plan;
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
        const plan = planFor(inputs);
        await plan.compile(onProgress);
        return plan;
      },
      dispose(): void {
        for (const plan of plans.values()) plan.dispose();
        plans.clear();
        latest = undefined;
      },
    }),
    "plan",
    { get: () => latest },
  ) as Captured<R>;
}
