/** @file A convolution with its gradients on numbers of a seed, for kernels that are compared. */

import * as vx from "../../src/index.ts";
import type { ConvOptions, Device, Tensor } from "../../src/index.ts";
import { readAll } from "./compare.ts";
import { normal, seeded } from "./row.ts";

/** `[N, C, …]` and `[out, in / groups, taps…]`. */
export type ConvCase = readonly [name: string, x: readonly number[], weight: readonly number[], options: ConvOptions];

/** Makes tensors, one after the other from the numbers of `seed`. */
export function tensorsOf(on: Device, seed: string): (shape: readonly number[]) => Tensor {
  const random = seeded(seed);
  return (shape) => on.tensor({ data: Float32Array.from({ length: vx.sizeOf(shape) }, (_, i) => normal(random, i)), shape });
}

/** The result and the gradients of input and weight. */
export function convStep(on: Device, [, shape, weight, options]: ConvCase, half: boolean): Record<"y" | "dx" | "dw", Tensor> {
  const tensor = tensorsOf(on, "conv");
  return vx.scope(() => {
    const [x, w, b] = [tensor(shape), tensor(weight), tensor([weight[0]])];
    for (const t of [x, w, b]) t.requiresGrad = true;
    const y = vx.withPrecision(half ? "f16" : "f32", () => vx.conv(x, w, b, options));
    const [dx, dw] = vx.grad(vx.sum(vx.mul(vx.float32(y), tensor(y.shape))), [x, w]);
    return { y: vx.float32(y), dx, dw };
  });
}

/** The same as host arrays. */
export async function convResults(on: Device, given: ConvCase, half: boolean) {
  const results = convStep(on, given, half);
  const values = await readAll(results);
  for (const t of Object.values(results)) t.dispose();
  return values;
}
