/** @file Optimizer updates over one flat buffer of parameters. */

import { type KernelCall, update, write } from "../tensor/kernel.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { lanes, perThread } from "./lib/occupancy.ts";
import { fold, grid } from "./lib/workgroups.ts";
import { AdagradState } from "./shaders/lib/adagrad.gen.ts";
import { AdamState } from "./shaders/lib/adam.gen.ts";
import { NadamState } from "./shaders/lib/nadam.gen.ts";
import { RadamState } from "./shaders/lib/radam.gen.ts";
import { ScalerState } from "./shaders/lib/scaler.gen.ts";
import { SgdState } from "./shaders/lib/sgd.gen.ts";
import { adagradShader } from "./shaders/optim/adagrad.gen.ts";
import { adagradTickShader } from "./shaders/optim/adagrad_tick.gen.ts";
import { adamShader } from "./shaders/optim/adam.gen.ts";
import { adamTickShader } from "./shaders/optim/adam_tick.gen.ts";
import { clipShader } from "./shaders/optim/clip.gen.ts";
import { emaShader } from "./shaders/optim/ema.gen.ts";
import { finiteShader } from "./shaders/optim/finite.gen.ts";
import { judgeShader } from "./shaders/optim/judge.gen.ts";
import { nadamShader } from "./shaders/optim/nadam.gen.ts";
import { nadamTickShader } from "./shaders/optim/nadam_tick.gen.ts";
import { normShader } from "./shaders/optim/norm.gen.ts";
import { radamShader } from "./shaders/optim/radam.gen.ts";
import { radamTickShader } from "./shaders/optim/radam_tick.gen.ts";
import { rmspropShader, RmspropState } from "./shaders/optim/rmsprop.gen.ts";
import { sgdShader } from "./shaders/optim/sgd.gen.ts";
import { sgdTickShader } from "./shaders/optim/sgd_tick.gen.ts";
import { squaresShader } from "./shaders/optim/squares.gen.ts";
import { unscaleShader } from "./shaders/optim/unscale.gen.ts";

// Skips the update if the state of a scaler says so; without one any buffer is bound.
const guarded = (scaler: Tensor | undefined) =>
  ({ overrides: { GUARDED: scaler ? 1 : 0 }, variant: scaler ? "guarded" : undefined }) as const;

/** The words of the optimizers' states on the device, by the names that their shaders give them. */
export { AdagradState, AdamState, NadamState, RadamState, RmspropState, ScalerState, SgdState };

export interface UpdateOptions {
  /** Ascend instead of descend. */
  readonly maximize?: boolean;
  /** State of a scaler that may forbid the update. */
  readonly scaler?: Tensor | undefined;
}

/** Elements for each thread of a kernel over a flat buffer, and workgroups for all of them. */
function flat(op: string, { device, size }: Tensor) {
  const each = perThread(device);
  return { count: { count: size, each }, workgroups: grid(device, op, size, 64 * each) };
}

/** What the updates share; `variant` says whether it is the optimizer's other form. */
function updateCall(op: string, weight: Tensor, variant: boolean, { maximize = false }: UpdateOptions) {
  const { count, workgroups } = flat(op, weight);
  return { params: { ...count, variant: variant ? 1 : 0, direction: maximize ? -1 : 1 }, workgroups };
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

/**
 * Advances Adam's bias corrections in `state` (`AdamState`), then updates weight and moments: mean, square and, for AMSGrad, the
 * largest square.
 */
export function adam(
  state: Tensor,
  gradient: Tensor,
  weight: Tensor,
  moments: readonly Tensor[],
  decoupled: boolean,
  options: UpdateOptions = {},
): void {
  const [mean, square, largest] = moments;
  const { scaler } = options;
  const { device } = weight;
  const guard = scaler ?? gradient;
  device.run(adamTickShader({ ...guarded(scaler), bind: { state: update(state), scaler: guard }, workgroups: [1, 1, 1] }));
  const bind = { state, gradient, weight: update(weight), mean: update(mean), square: update(square), scaler: guard };
  const call = {
    ...updateCall("adam", weight, decoupled, options),
    overrides: { GUARDED: scaler ? 1 : 0 },
    variant: [largest ? "amsgrad" : "plain", ...(scaler ? ["guarded"] : [])].join(" "),
  };
  device.run(
    largest ? adamShader.largest({ ...call, bind: { ...bind, largest: update(largest) } }) : adamShader.latest({ ...call, bind }),
  );
}

/** Updates weight and velocity, then counts the step in `state` (`SgdState`). */
export function sgd(
  state: Tensor,
  gradient: Tensor,
  weight: Tensor,
  velocity: Tensor,
  nesterov: boolean,
  options: UpdateOptions = {},
): void {
  const { scaler } = options;
  const { device } = weight;
  const guard = scaler ?? gradient;
  device.run(
    sgdShader({
      ...guarded(scaler),
      ...updateCall("sgd", weight, nesterov, options),
      bind: { state, gradient, weight: update(weight), velocity: update(velocity), scaler: guard },
    }),
  );
  device.run(sgdTickShader({ ...guarded(scaler), bind: { state: update(state), scaler: guard }, workgroups: [1, 1, 1] }));
}

/** Updates weight and the moments by `state` (`RmspropState`); `mean` may be one word unless `centered`. */
export function rmsprop(
  state: Tensor,
  gradient: Tensor,
  weight: Tensor,
  moments: readonly Tensor[],
  centered: boolean,
  options: UpdateOptions = {},
): void {
  const { scaler } = options;
  const { device } = weight;
  const [square, velocity, mean] = moments.map((t) => update(t));
  device.run(
    rmspropShader({
      ...guarded(scaler),
      ...updateCall("rmsprop", weight, centered, options),
      bind: { state, gradient, weight: update(weight), square, velocity, mean, scaler: scaler ?? gradient },
    }),
  );
}

/** Updates weight and sum of squares, then counts the step in `state` (`AdagradState`). */
export function adagrad(state: Tensor, gradient: Tensor, weight: Tensor, square: Tensor, options: UpdateOptions = {}): void {
  const { scaler } = options;
  const { device } = weight;
  const guard = scaler ?? gradient;
  device.run(
    adagradShader({
      ...guarded(scaler),
      ...updateCall("adagrad", weight, false, options),
      bind: { state, gradient, weight: update(weight), square: update(square), scaler: guard },
    }),
  );
  device.run(adagradTickShader({ ...guarded(scaler), bind: { state: update(state), scaler: guard }, workgroups: [1, 1, 1] }));
}

const relatives = {
  nadam: { tick: nadamTickShader, shader: nadamShader },
  radam: { tick: radamTickShader, shader: radamShader },
} as const;

/** Advances `state` (`NadamState`, `RadamState`), then updates weight and moments: mean and square. */
export function adamRelative(
  which: keyof typeof relatives,
  state: Tensor,
  gradient: Tensor,
  weight: Tensor,
  [mean, square]: readonly Tensor[],
  decoupled: boolean,
  options: UpdateOptions = {},
): void {
  const { scaler } = options;
  const { device } = weight;
  const guard = scaler ?? gradient;
  const { tick, shader } = relatives[which];
  device.run(tick({ ...guarded(scaler), bind: { state: update(state), scaler: guard }, workgroups: [1, 1, 1] }));
  device.run(
    shader({
      ...guarded(scaler),
      ...updateCall(which, weight, decoupled, options),
      bind: { state, gradient, weight: update(weight), mean: update(mean), square: update(square), scaler: guard },
    }),
  );
}

// Beyond any gradient: WGSL promises nothing about infinity.
const unlimited = 3e38;

/** How the slabs of one gradient are run: `params.first` is where its numbers begin among those of all. */
interface Slabs {
  readonly consts: { readonly LANES: number };
  readonly params: { readonly count: number; readonly first: number };
  readonly workgroups: KernelCall["workgroups"];
}

// One number per slab of each gradient, then one of all slabs.
function overAll(
  gradients: readonly Tensor[],
  slab: (gradient: Tensor, partial: Tensor, slabs: Slabs) => KernelCall,
  all: (partial: Tensor, call: Omit<Slabs, "params"> & { readonly params: { readonly count: number } }) => KernelCall,
): void {
  const { device } = gradients[0];
  const consts = { LANES: lanes(device) };
  const counts = gradients.map((g) => Math.ceil(g.size / (64 * consts.LANES)));
  const total = counts.reduce((a, b) => a + b, 0);
  const partial = device.empty([total]);
  let first = 0;
  gradients.forEach((gradient, i) => {
    const workgroups = fold(device, "gradients", counts[i]);
    device.run(slab(gradient, partial, { consts, params: { count: gradient.size, first }, workgroups }));
    first += counts[i];
  });
  device.run(all(partial, { consts, params: { count: total }, workgroups: [1, 1, 1] }));
  partial.dispose();
}

/** Writes the norm over all `gradients`, each first limited to ±`limit`, to `norm`. */
export function gradientNorm(gradients: readonly Tensor[], norm: Tensor, limit = unlimited): void {
  overAll(
    gradients,
    (gradient, partial, slabs) =>
      squaresShader({ ...slabs, params: { ...slabs.params, limit }, bind: { gradient, partial: update(partial) } }),
    (partial, call) => normShader({ ...call, bind: { partial, norm: write(norm) } }),
  );
}

/**
 * Divides `gradients` by the scale in `state` (`ScalerState`), or clears them if one is not finite, and moves the scale. If the scalar `veto` is not 0
 * they are cleared and the scale stays.
 */
export function unscale(gradients: readonly Tensor[], state: Tensor, veto?: Tensor): void {
  const { device } = state;
  overAll(
    gradients,
    (gradient, partial, slabs) => finiteShader({ ...slabs, bind: { gradient, partial: update(partial) } }),
    (partial, call) =>
      judgeShader({
        ...call,
        overrides: { VETOED: veto ? 1 : 0 },
        variant: veto ? "vetoed" : undefined,
        bind: { partial, state: update(state), veto: veto ?? partial },
      }),
  );
  for (const gradient of gradients) {
    const { count, workgroups } = flat("unscale", gradient);
    device.run(unscaleShader({ params: count, bind: { state, gradient: update(gradient) }, workgroups }));
  }
}

/** Limits `gradient` to ±`limit`, then by the factor min(1, maxNorm / (norm + 1e-6)). */
export function clip(gradient: Tensor, norm: Tensor, limit = unlimited, maxNorm = unlimited): void {
  const { count, workgroups } = flat("clip", gradient);
  const params = { ...count, limit, max_norm: Math.min(maxNorm, unlimited) };
  gradient.device.run(clipShader({ params, bind: { norm, gradient: update(gradient) }, workgroups }));
}

/** Moves `shadow` towards `weight` by the share 1 − decay. */
export function ema(shadow: Tensor, weight: Tensor, decay: number): void {
  const { count, workgroups } = flat("ema", shadow);
  shadow.device.run(emaShader({ params: { ...count, share: 1 - decay }, bind: { weight, shadow: update(shadow) }, workgroups }));
}
