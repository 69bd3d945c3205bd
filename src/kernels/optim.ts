/** @file Optimiser updates over one flat buffer of parameters. */

import { read, update, write } from "../tensor/kernel.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { fold, grid, lanes, program } from "./program.ts";

/** Advances Adam's bias corrections in `state` (see shaders/optim/adam.wgsl), then updates weight and both moments. */
export function adam(state: Tensor, gradient: Tensor, weight: Tensor, mean: Tensor, square: Tensor, decoupled: boolean): void {
  const { device } = weight;
  device.run({ program: program("optim/adam_tick"), bindings: [update(state)], workgroups: [1, 1, 1] });
  device.run({
    program: program("optim/adam", { libs: ["lib/grid"] }),
    bindings: [read(state), read(gradient), update(weight), update(mean), update(square)],
    params: [weight.size, decoupled ? 1 : 0],
    workgroups: grid(device, "adam", weight.size, 64),
  });
}

/** Updates weight and velocity, then counts the step in `state` (see shaders/optim/sgd.wgsl). */
export function sgd(state: Tensor, gradient: Tensor, weight: Tensor, velocity: Tensor, nesterov: boolean): void {
  const { device } = weight;
  device.run({
    program: program("optim/sgd", { libs: ["lib/grid"] }),
    bindings: [read(state), read(gradient), update(weight), update(velocity)],
    params: [weight.size, nesterov ? 1 : 0],
    workgroups: grid(device, "sgd", weight.size, 64),
  });
  device.run({ program: program("optim/sgd_tick"), bindings: [update(state)], workgroups: [1, 1, 1] });
}

/** Updates weight and the moments; `mean` may be one word unless `centered`. */
export function rmsprop(state: Tensor, gradient: Tensor, weight: Tensor, moments: readonly Tensor[], centered: boolean): void {
  const { device } = weight;
  device.run({
    program: program("optim/rmsprop", { libs: ["lib/grid"] }),
    bindings: [read(state), read(gradient), update(weight), ...moments.map((t) => update(t))],
    params: [weight.size, centered ? 1 : 0],
    workgroups: grid(device, "rmsprop", weight.size, 64),
  });
}

// Beyond any gradient: WGSL promises nothing about infinity.
const unlimited = 3e38;

/** Writes the norm over all `gradients`, each first limited to ±`limit`, to `norm`. */
export function gradientNorm(gradients: readonly Tensor[], norm: Tensor, limit = unlimited): void {
  const { device } = norm;
  const LANES = lanes(device);
  const counts = gradients.map((g) => Math.ceil(g.size / (64 * LANES)));
  const total = counts.reduce((a, b) => a + b, 0);
  const partial = device.empty([total]);
  let first = 0;
  gradients.forEach((gradient, i) => {
    device.run({
      program: program("optim/squares", { libs: ["lib/grid", "lib/tree", "lib/clip"], consts: { LANES } }),
      bindings: [read(gradient), update(partial)],
      params: [gradient.size, first, { f32: limit }],
      workgroups: fold(device, "clipNorm", counts[i]),
    });
    first += counts[i];
  });
  device.run({
    program: program("optim/norm", { libs: ["lib/tree"], consts: { LANES } }),
    bindings: [read(partial), write(norm)],
    params: [total],
    workgroups: [1, 1, 1],
  });
  partial.dispose();
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
