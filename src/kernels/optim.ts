/** @file Optimiser updates over one flat buffer of parameters. */

import { read, update } from "../tensor/kernel.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { grid, program } from "./program.ts";

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
