/** @file How a random case of an op is held against the float64 reference of its row: forward, and gradients along a random direction. */

import { readdirSync } from "node:fs";
import * as fc from "fast-check";
import { test } from "vitest";
import { cast, type Device, float32, grad, mul, noGrad, scope, sum, type Tensor } from "../../src/index.ts";
import { backpropagate } from "../../src/autograd/tape.ts";
import { expectClose, readAll } from "./compare.ts";
import { device } from "./device.ts";
import {
  defaultTolerance,
  generate,
  type Hosts,
  type InputSpec,
  normal,
  type Row,
  type Sample,
  seeded,
  type Tolerance,
} from "./row.ts";

/** The op table. */
export const allRows: Row<any>[] = [];
for (const file of readdirSync(new URL("../ops/rows/", import.meta.url)).sort()) {
  const module = (await import(`../ops/rows/${file.slice(0, -3)}.ts`)) as { rows: Row<any>[] };
  allRows.push(...module.rows);
}

/** Result and gradients of one sample of a row, eagerly, on the device given. */
export async function sampleResults(
  row: Row<any>,
  sample: Sample<any>,
  on: Device,
): Promise<Awaited<ReturnType<typeof readAll>>> {
  const random = seeded(sample.id);
  const tensors = scope((): Record<string, Tensor> => {
    const inputs = Object.fromEntries(
      Object.entries(sample.inputs).map(([name, spec]) => [name, on.tensor(generate(spec, random), spec.dtype ?? "f32")]),
    );
    const names = row.differentiable.filter((name) => inputs[name]?.dtype === "f32");
    for (const name of names) inputs[name].requiresGrad = true;
    const y = row.run(inputs, sample.args, on);
    if (y.origin === undefined) return { y };
    const seed = on.tensor(generate({ shape: y.shape }, random), y.dtype);
    const wrt = names.map((name) => inputs[name]);
    const gradients = noGrad(() => scope(() => backpropagate(y, seed, wrt).map((g) => g!)));
    return { y, ...Object.fromEntries(names.map((name, i) => [`d ${name}`, gradients[i]])) };
  });
  const values = await readAll(tensors);
  for (const t of Object.values(tensors)) t.dispose();
  return values;
}

/** Inputs and options of one random case. */
export interface Case {
  readonly inputs: Readonly<Record<string, InputSpec>>;
  readonly args: object;
  /** Activations as f16, where the adapter has it. */
  readonly half?: boolean;
  readonly tolerance?: Partial<Tolerance>;
}

const activations = new Set(["x", "a", "b", "c", "d", "input"]);
// Stored with eleven bits, the gradient of what is stored with eleven bits too.
const halfTolerance: Tolerance = { forward: 4e-3, gradient: 4e-3, floor: 0.02 };
/** Odd multiples of 1/512, which f16 holds up to 4; never 0, where functions have kinks. */
const toHalf = (v: number): number => Math.max(-3.998046875, Math.min(3.998046875, (Math.floor(v * 256) + 0.5) / 256));

const step = 2 ** -16; // a power of two, so that x ± step is exact

/** Throws where forward or gradients differ from those of the reference. */
export async function checkCase(name: string, { inputs, args, half = false, tolerance }: Case): Promise<void> {
  const gpu = await device();
  const row = allRows.find((r) => r.name === name)!;
  const random = seeded(JSON.stringify([name, inputs, args]));
  const f16 = half && gpu.gpu.features.has("shader-f16");
  const isHalf = (input: string) => f16 && activations.has(input) && (inputs[input].dtype ?? "f32") === "f32";
  const hosts: Hosts = Object.fromEntries(
    Object.entries(inputs).map(([input, spec]) => {
      const host = generate(spec, random);
      return [input, isHalf(input) ? { ...host, data: host.data.map(toHalf) } : host];
    }),
  );
  const allowed = { ...defaultTolerance, ...row.tolerance, ...(f16 ? halfTolerance : {}), ...tolerance };
  const expected = row.reference(hosts, args);
  const names = row.differentiable.filter((input) => inputs[input] && (inputs[input].dtype ?? "f32") === "f32");
  const seeds = generate({ shape: expected.shape }, random);
  const dy = { ...seeds, data: seeds.data.map(toHalf) };
  const results = scope((): Record<string, Tensor> => {
    const given = Object.fromEntries(
      Object.entries(hosts).map(([input, h]) => [input, gpu.tensor(h, inputs[input].dtype ?? "f32")]),
    );
    for (const input of names) given[input].requiresGrad = true;
    const taken = Object.entries(given).map(([input, t]) => [input, isHalf(input) ? cast(t, "f16") : t]);
    const y = float32(row.run(Object.fromEntries(taken), args, gpu));
    if (names.length === 0) return { y };
    const gradients = grad(
      sum(mul(y, gpu.tensor(dy))),
      names.map((input) => given[input]),
    );
    return { y, ...Object.fromEntries(names.map((input, i) => [`d ${input}`, gradients[i]])) };
  });
  const values = await readAll(results);
  const { shape } = results.y;
  for (const t of Object.values(results)) t.dispose();
  if (shape.join() !== expected.shape.join()) throw new Error(`shape [${shape.join()}], expected [${expected.shape.join()}]`);
  expectClose("forward", values.y, expected.data, allowed.forward, allowed.floor);
  for (const input of names) {
    const { data } = hosts[input];
    const v = data.map((_, i) => normal(random, i));
    const moved = (by: number) =>
      row.reference({ ...hosts, [input]: { ...hosts[input], data: data.map((x, i) => x + by * v[i]) } }, args).data;
    const [up, down] = [moved(step), moved(-step)];
    const slope = up.reduce((total, u, i) => total + (dy.data[i] * (u - down[i])) / (2 * step), 0);
    const gradient = values[`d ${input}`];
    if (gradient.length !== data.length) throw new Error(`gradient of ${input}: ${gradient.length} elements`);
    const along = v.reduce((total, d, i) => total + d * gradient[i], 0);
    const length = Math.sqrt(v.reduce((total, _, i) => total + gradient[i] ** 2, 0));
    // v has unit variance, so an error e of an element changes the product by about |e|.
    expectClose(
      `gradient of ${input} along a direction`,
      [along],
      [slope],
      4 * Math.max(allowed.gradient, 1e-6),
      Math.max(length, allowed.floor, 1e-3),
    );
  }
}

/** One test: the same random cases each time; a failure prints the smallest case found. */
export function property(name: string, cases: fc.Arbitrary<Case>, numRuns = 15): void {
  test(`properties/${name}`, () =>
    fc.assert(
      fc.asyncProperty(cases, (c) => checkCase(name, c)),
      { seed: 20, numRuns, endOnFailure: false },
    ));
}

export const small = (max: number): fc.Arbitrary<number> => fc.integer({ min: 1, max });
/** Mostly some, sometimes none. */
export const samples = fc.oneof({ weight: 5, arbitrary: small(3) }, { weight: 1, arbitrary: fc.constant(0) });
/** Spatial sizes of one to three axes, odd ones and single voxels among them. */
export const sizes = fc
  .integer({ min: 1, max: 3 })
  .chain((dims) => fc.array(small([17, 9, 6][dims - 1]), { minLength: dims, maxLength: dims }));
/** `[N, C, spatial…]` with 1 to 5 channels. */
export const images = fc.tuple(samples, small(5), sizes).map(([n, c, size]) => [n, c, ...size]);
/** A shape of up to five axes, sometimes with an empty one. */
export const shapes = fc.array(fc.oneof({ weight: 9, arbitrary: small(6) }, { weight: 1, arbitrary: fc.constant(0) }), {
  minLength: 1,
  maxLength: 5,
});
