/** @file Networks on formula weights against the figures of make_quicknat_unet.py: outputs, gradients, buffers, names, counts, first weights. */

import { expect } from "vitest";
import { add, type Device, grad, mean, mul, type Tensor } from "../../../src/index.ts";
import { manualSeed, type Module } from "../../../src/nn/index.ts";
import { sizeOf, type HostArray } from "../../../src/host/array.ts";
import type { Shape } from "../../../src/host/shape.ts";

/** An array of the fixture: whole, or by norm, maximum and samples. */
export interface Summary {
  readonly shape: Shape;
  readonly max: number;
  readonly norm: number;
  readonly full?: readonly number[];
  readonly samples?: readonly (readonly [number, number])[];
}

interface Mode {
  readonly outputs: readonly Summary[];
  readonly loss: number;
  readonly grad_input: Summary;
  readonly grads: Readonly<Record<string, Summary | null>>;
  readonly buffers: Readonly<Record<string, number>>;
}

type FirstAndSum = Readonly<Record<string, readonly [number, number]>>;

export interface NetSpec {
  readonly name: string;
  readonly args: Readonly<Record<string, any>>;
  readonly input_shape: Shape;
  readonly num_parameters: number;
  readonly state_dict: readonly (readonly [string, Shape])[];
  readonly initial: FirstAndSum;
  readonly initialized?: FirstAndSum;
  readonly modes: Readonly<Record<"eval" | "train", Mode | undefined>>;
}

export function wave(shape: Shape, a: number, b: number, c: number, d = 0): HostArray<Float32Array> {
  return { data: Float32Array.from({ length: sizeOf(shape) }, (_, i) => d + a * Math.sin(b * (i + 1) + c)), shape };
}

/** The weights of entry i of a state dict. */
function formula(i: number, name: string, shape: Shape): HostArray {
  const c = 1.3 * i;
  if (name.endsWith("num_batches_tracked")) return { data: new Int32Array(1), shape };
  if (shape.length > 1) return wave(shape, 1.5 / Math.sqrt(sizeOf(shape.slice(1))), 0.37, c);
  if (name.includes("prelu")) return wave(shape, 0.05, 0.37, c, 0.25);
  return wave(shape, 0.1, 0.37, c, name.endsWith("running_var") || name.endsWith("weight") ? 1 : 0);
}

export function fill(net: Module): void {
  net.loadStateDict(new Map([...net.namedTensors()].map(([name, t], i) => [name, formula(i, name, t.shape)])));
}

const norm = (values: ArrayLike<number>) => Math.sqrt(Array.from(values).reduce((s, v) => s + v * v, 0));

/** Largest difference to a summary, relative to its maximum or to `floor`, and that of the norm, relative to it or to `normFloor`. */
export async function difference(t: Tensor | HostArray, want: Summary, floor = 0, normFloor = floor): Promise<number> {
  expect(t.shape).toEqual(want.shape);
  const data: ArrayLike<number> = typeof t.data === "function" ? await t.data() : t.data;
  const samples = want.samples ?? want.full!.map((v, i) => [i, v] as const);
  const worst = samples.reduce((m, [i, v]) => Math.max(m, Math.abs(data[i] - v)), 0) / Math.max(want.max, floor);
  return Math.max(worst, Math.abs(norm(data) - want.norm) / Math.max(want.norm, normFloor));
}

async function expectFirstAndSum(net: Module, want: FirstAndSum, tolerance: number) {
  const state = await net.stateDict();
  for (const [name, [first, sum]] of Object.entries(want)) {
    const values = Array.from(state.get(name)!.data as Float32Array);
    const total = values.reduce((s, v) => s + Math.abs(v), 0);
    expect(Math.abs(values[0] - first), name).toBeLessThanOrEqual(tolerance * Math.abs(first) + 1e-12);
    expect(Math.abs(total - sum), name).toBeLessThanOrEqual(1e-5 * sum);
  }
}

export interface Check {
  /** All outputs; default that of `forward`. */
  readonly outputs?: (x: Tensor) => Tensor[];
  /** Draws the weights that training starts from. */
  readonly initialize?: () => void;
}

/** Forward within 1e-5 and gradients within 1e-4, in every mode of the fixture; names, parameter count and PyTorch's first weights for a seed. */
export async function expectNetwork(dev: Device, spec: NetSpec, net: Module, check: Check = {}): Promise<void> {
  const { outputs = (x) => [net.forward(x) as Tensor], initialize } = check;
  expect([...net.namedTensors()].map(([name, t]) => [name, [...t.shape]])).toEqual(spec.state_dict);
  expect(net.parameterCount).toBe(spec.num_parameters);
  await expectFirstAndSum(net, spec.initial, 1e-7);
  if (initialize && spec.initialized) {
    initialize();
    await expectFirstAndSum(net, spec.initialized, 1e-5); // normals differ in the last bits
  }
  for (const [mode, want] of Object.entries(spec.modes)) {
    if (!want) continue;
    fill(net);
    net.train(mode === "train");
    const x = dev.tensor(wave(spec.input_shape, 1, 0.11, 0.3));
    x.requiresGrad = true;
    const outs = outputs(x);
    expect(outs.length).toBe(want.outputs.length);
    for (const [i, out] of outs.entries())
      expect(await difference(out, want.outputs[i]), `${mode} output ${i}`).toBeLessThan(1e-5);
    const loss = outs.map((o) => mean(mul(o, dev.tensor(wave(o.shape, 1, 0.53, 1))))).reduce(add);
    const named = net.namedParameters();
    expect(named.map(([name]) => name)).toEqual(Object.keys(want.grads));
    const [dx, ...gradients] = grad(loss, [x, ...named.map(([, t]) => t)]);
    expect(await difference(dx, want.grad_input), `${mode} input gradient`).toBeLessThan(1e-4);
    // Gradients of biases before a norm are zero up to rounding.
    const floor = 1e-2 * Math.max(...Object.values(want.grads).map((g) => g?.max ?? 0));
    for (const [i, [name, t]] of named.entries()) {
      const unused = { shape: t.shape, max: 0, norm: 0, samples: [] };
      expect(await difference(gradients[i], want.grads[name] ?? unused, floor), `${mode} gradient of ${name}`).toBeLessThan(1e-4);
    }
    const tensors = new Map(net.namedTensors());
    for (const [name, value] of Object.entries(want.buffers)) {
      expect(Math.abs(norm(await tensors.get(name)!.data()) - value) / value, name).toBeLessThan(1e-5);
    }
  }
}

/** Makes a network whose first weights are PyTorch's for seed 0. */
export function seeded<T>(make: () => T): T {
  manualSeed(0);
  return make();
}
