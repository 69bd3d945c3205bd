/** @file What the updates of the optimizers share: their flat buffers, and what every one of their dispatches is given. */

import { type Bound, type KernelCall, update, type Written } from "../../tensor/kernel.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { flat } from "../lib/workgroups.ts";

/** Parameters that share one buffer, with what an optimizer knows of them. Sizes are multiples of four, but for moments of one word that are not needed. */
export interface FlatBuffers {
  /** The words of the optimizer's state. */
  readonly state: Tensor;
  readonly gradient: Tensor;
  readonly weight: Tensor;
  readonly moments: readonly Tensor[];
}

export interface UpdateOptions {
  /** Ascend instead of descend. */
  readonly maximize?: boolean | undefined;
  /** State of a scaler that may forbid the update. */
  readonly scaler?: Tensor | undefined;
}

/** The words of a state in the order of its struct. */
export function stateWords<S extends Readonly<Record<string, number>>>(
  state: S,
  values: { readonly [K in keyof S]: number },
): number[] {
  return Object.keys(state)
    .sort((a, b) => state[a] - state[b])
    .map((name) => values[name]);
}

// Skips the update if the state of a scaler says so; without one any buffer is bound.
const guarded = (scaler: Tensor | undefined) =>
  ({ overrides: { GUARDED: scaler ? 1 : 0 }, variant: scaler ? "guarded" : undefined }) as const;

/** What an update is given; `variant` says whether it is the optimizer's other form. */
export function updateCall(
  op: string,
  { state, gradient, weight }: FlatBuffers,
  variant: boolean,
  { maximize = false, scaler }: UpdateOptions,
) {
  const { words, workgroups } = flat(weight.device, op, weight.size / 4);
  return {
    ...guarded(scaler),
    params: { ...words, variant: variant ? 1 : 0, direction: maximize ? -1 : 1 },
    workgroups,
    bind: { state, gradient, weight: update(weight), scaler: scaler ?? gradient },
  };
}

type TickCall = ReturnType<typeof guarded> & {
  readonly bind: { readonly state: Written; readonly scaler: Bound };
  readonly workgroups: KernelCall["workgroups"];
};

/** Advances what the state knows of the step. */
export function tick(shader: (call: TickCall) => KernelCall, { state, gradient }: FlatBuffers, { scaler }: UpdateOptions): void {
  const bind = { state: update(state), scaler: scaler ?? gradient };
  state.device.run(shader({ ...guarded(scaler), bind, workgroups: [1, 1, 1] }));
}
