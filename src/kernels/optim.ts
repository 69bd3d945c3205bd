/** @file Optimiser updates over one flat buffer of parameters. */

import { type Binding, type KernelCall, type Param, type Program, read, update, write } from "../tensor/kernel.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { fold, grid, lanes, program } from "./lib/program.ts";

// Skips the update if the state of a scaler says so; without one any buffer is bound.
const guarded = (scaler: Tensor | undefined) =>
  ({ overrides: { GUARDED: scaler ? 1 : 0 }, variant: scaler ? "guarded" : undefined }) as const;

export interface UpdateOptions {
  /** Ascend instead of descend. */
  readonly maximize?: boolean;
  /** State of a scaler that may forbid the update. */
  readonly scaler?: Tensor | undefined;
}

const direction = (maximize: boolean) => ({ f32: maximize ? -1 : 1 }) as const;

/**
 * Advances Adam's bias corrections in `state` (see shaders/optim/adam.wgsl), then updates weight and moments: mean, square and, for AMSGrad, the
 * largest square.
 */
export function adam(
  state: Tensor,
  gradient: Tensor,
  weight: Tensor,
  moments: readonly Tensor[],
  decoupled: boolean,
  { maximize = false, scaler }: UpdateOptions = {},
): void {
  const [mean, square, largest] = moments;
  const { device } = weight;
  const guard = read(scaler ?? gradient);
  device.run({
    program: program("optim/adam_tick", { libs: ["lib/guard"], ...guarded(scaler) }),
    bindings: [update(state), guard],
    workgroups: [1, 1, 1],
  });
  device.run({
    program: program("optim/adam", {
      libs: ["lib/grid", "lib/guard", largest ? "lib/largest" : "lib/latest"],
      overrides: { GUARDED: scaler ? 1 : 0 },
      variant: [largest ? "amsgrad" : "plain", ...(scaler ? ["guarded"] : [])].join(" "),
    }),
    bindings: [
      read(state),
      read(gradient),
      update(weight),
      update(mean),
      update(square),
      guard,
      ...(largest ? [update(largest)] : []),
    ],
    params: [weight.size, decoupled ? 1 : 0, direction(maximize)],
    workgroups: grid(device, "adam", weight.size, 64),
  });
}

/** Updates weight and velocity, then counts the step in `state` (see shaders/optim/sgd.wgsl). */
export function sgd(
  state: Tensor,
  gradient: Tensor,
  weight: Tensor,
  velocity: Tensor,
  nesterov: boolean,
  { maximize = false, scaler }: UpdateOptions = {},
): void {
  const { device } = weight;
  const guard = read(scaler ?? gradient);
  device.run({
    program: program("optim/sgd", { libs: ["lib/grid", "lib/guard"], ...guarded(scaler) }),
    bindings: [read(state), read(gradient), update(weight), update(velocity), guard],
    params: [weight.size, nesterov ? 1 : 0, direction(maximize)],
    workgroups: grid(device, "sgd", weight.size, 64),
  });
  device.run({
    program: program("optim/sgd_tick", { libs: ["lib/guard"], ...guarded(scaler) }),
    bindings: [update(state), guard],
    workgroups: [1, 1, 1],
  });
}

/** Updates weight and the moments; `mean` may be one word unless `centered`. */
export function rmsprop(
  state: Tensor,
  gradient: Tensor,
  weight: Tensor,
  moments: readonly Tensor[],
  centered: boolean,
  { maximize = false, scaler }: UpdateOptions = {},
): void {
  const { device } = weight;
  device.run({
    program: program("optim/rmsprop", { libs: ["lib/grid", "lib/guard"], ...guarded(scaler) }),
    bindings: [read(state), read(gradient), update(weight), ...moments.map((t) => update(t)), read(scaler ?? gradient)],
    params: [weight.size, centered ? 1 : 0, direction(maximize)],
    workgroups: grid(device, "rmsprop", weight.size, 64),
  });
}

// Beyond any gradient: WGSL promises nothing about infinity.
const unlimited = 3e38;

// One number per chunk of each gradient, then one of all chunks.
function overAll(
  gradients: readonly Tensor[],
  result: Binding<Tensor>,
  chunk: (gradient: Tensor, LANES: number) => Pick<KernelCall, "program"> & { readonly more?: readonly Param[] },
  all: (LANES: number) => Program,
): void {
  const { device } = result.tensor;
  const LANES = lanes(device);
  const counts = gradients.map((g) => Math.ceil(g.size / (64 * LANES)));
  const total = counts.reduce((a, b) => a + b, 0);
  const partial = device.empty([total]);
  let first = 0;
  gradients.forEach((gradient, i) => {
    const { program, more = [] } = chunk(gradient, LANES);
    device.run({
      program,
      bindings: [read(gradient), update(partial)],
      params: [gradient.size, first, ...more],
      workgroups: fold(device, "gradients", counts[i]),
    });
    first += counts[i];
  });
  device.run({ program: all(LANES), bindings: [read(partial), result], params: [total], workgroups: [1, 1, 1] });
  partial.dispose();
}

/** Writes the norm over all `gradients`, each first limited to ±`limit`, to `norm`. */
export function gradientNorm(gradients: readonly Tensor[], norm: Tensor, limit = unlimited): void {
  overAll(
    gradients,
    write(norm),
    (_, LANES) => ({
      program: program("optim/squares", { libs: ["lib/grid", "lib/tree", "lib/clip"], consts: { LANES } }),
      more: [{ f32: limit }],
    }),
    (LANES) => program("optim/norm", { libs: ["lib/tree"], consts: { LANES } }),
  );
}

/** Divides `gradients` by the scale in `state` (see shaders/optim/judge.wgsl), or clears them if one is not finite, and moves the scale. */
export function unscale(gradients: readonly Tensor[], state: Tensor): void {
  const { device } = state;
  overAll(
    gradients,
    update(state),
    (_, LANES) => ({ program: program("optim/finite", { libs: ["lib/grid", "lib/tree"], consts: { LANES } }) }),
    (LANES) => program("optim/judge", { libs: ["lib/tree"], consts: { LANES } }),
  );
  for (const gradient of gradients) {
    device.run({
      program: program("optim/unscale", { libs: ["lib/grid"] }),
      bindings: [read(state), update(gradient)],
      params: [gradient.size],
      workgroups: grid(device, "unscale", gradient.size, 64),
    });
  }
}

/** Limits `gradient` to ±`limit`, then by the factor min(1, maxNorm / (norm + 1e-6)). */
export function clip(gradient: Tensor, norm: Tensor, limit = unlimited, maxNorm = unlimited): void {
  const { device } = gradient;
  device.run({
    program: program("optim/clip", { libs: ["lib/grid", "lib/clip"] }),
    bindings: [read(norm), update(gradient)],
    params: [gradient.size, { f32: limit }, { f32: Math.min(maxNorm, unlimited) }],
    workgroups: grid(device, "clip", gradient.size, 64),
  });
}

/** Moves `shadow` towards `weight` by the share 1 − decay. */
export function ema(shadow: Tensor, weight: Tensor, decay: number): void {
  const { device } = shadow;
  device.run({
    program: program("optim/ema", { libs: ["lib/grid"] }),
    bindings: [read(weight), update(shadow)],
    params: [shadow.size, { f32: 1 - decay }],
    workgroups: grid(device, "ema", shadow.size, 64),
  });
}
