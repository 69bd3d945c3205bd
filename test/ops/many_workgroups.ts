/** @file Operations of more workgroups than one dimension of a dispatch may have: tensors, references that look at places of a result, a watch on calls. */

import { expect } from "vitest";
import { backpropagate } from "../../src/autograd/tape.ts";
import { noGrad, scope, sizeOf, type Tensor } from "../../src/index.ts";
import type { KernelCall } from "../../src/tensor/kernel.ts";
import { device } from "../lib/device.ts";
import type { Shape } from "../lib/row.ts";

const limit = 65535;
export const gpu = await device();

/** Most workgroups of one call since `watch` was called. */
let most = 0;
const run = gpu.run.bind(gpu);

/** Fails calls of more workgroups per dimension than there may be, until `unwatch`. */
export function watch(): void {
  most = 0;
  gpu.run = (call: KernelCall) => {
    const [x, y, z] = call.workgroups;
    expect(Math.max(x, y, z), `${call.program.key} [${call.workgroups.join()}]`).toBeLessThanOrEqual(limit);
    most = Math.max(most, x * y * z);
    run(call);
  };
}

/** Fails if no call had more workgroups than fit one dimension. */
export function unwatch(): void {
  gpu.run = run;
  expect(most, "workgroups").toBeGreaterThan(limit);
}

/** What `fn` gives, dispatched as on hardware, where a thread has one element. */
export function asOnHardware<T>(fn: () => T): T {
  Object.defineProperty(gpu, "software", { value: false, configurable: true });
  try {
    return fn();
  } finally {
    Reflect.deleteProperty(gpu, "software");
  }
}

/** A pattern that no run of a power of two repeats. */
export const value = (i: number): number => ((i * 7919) % 1009) / 256 - 2;
export const pattern = (shape: Shape, of = value): Tensor => {
  const data = new Float32Array(sizeOf(shape));
  for (let i = 0; i < data.length; i++) data[i] = of(i);
  return gpu.tensor({ data, shape });
};
export const seedOf = (i: number): number => value(3 * i + 5);

/** Result and gradients of Σ f(inputs) · seed, where the seed of element i is `seedOf(i)`. */
export function both(f: (...inputs: Tensor[]) => Tensor, ...inputs: Tensor[]): Promise<ArrayLike<number>[]> {
  const results = scope(() => {
    for (const t of inputs) t.requiresGrad = true;
    const y = f(...inputs);
    return [y, ...noGrad(() => scope(() => backpropagate(y, pattern(y.shape, seedOf), inputs).map((g) => g!)))];
  });
  for (const t of inputs) t.dispose();
  const read = Promise.all(results.map((t) => t.data()));
  for (const t of results) t.dispose();
  return read;
}

/** Every 1,009th element, both ends and the places around where the first dimension ends. */
export function expectAt(what: string, list: ArrayLike<number>, expected: (i: number) => number, tolerance = 1e-5): void {
  const look = (i: number) => {
    const wanted = expected(i);
    if (Math.abs(list[i] - wanted) <= tolerance * Math.max(1, Math.abs(wanted))) return;
    throw new Error(`${what}: element ${i} of ${list.length} is ${list[i]}, expected ${wanted}`);
  };
  for (let i = 0; i < list.length; i += 1009) look(i);
  for (const edge of [limit, limit * 64, list.length]) {
    for (let i = Math.max(0, edge - 70); i < Math.min(list.length, edge + 70); i++) look(i);
  }
}

export const odd = limit * 64 + 129; // no multiple of four, so that a thread has one element
export const many = limit + 5;
