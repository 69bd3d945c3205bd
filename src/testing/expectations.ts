/** @file One sample of the op table: its inputs, its run on a device, and what its result and gradients are held against. */

import { mul } from "../autograd/pointwise.ts";
import { sum } from "../autograd/reduce.ts";
import { grad } from "../autograd/tape.ts";
import { sizeOf, type TypedArray } from "../host/array.ts";
import type { Device } from "../tensor/device.ts";
import { scope } from "../tensor/scope.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { readAll } from "./compare.ts";
import { type Expectation, ofDirections, ofElements } from "./slopes.ts";
import { defaultTolerance, generate, type Host, type Hosts, type OpRow, type Sample, seeded } from "./row.ts";

/** A sample of a row with the numbers it runs on. */
export interface Subject<A> {
  readonly row: OpRow<A>;
  readonly sample: Sample<A>;
  readonly hosts: Hosts;
  /** The float64 result. */
  readonly expected: Host;
  /** Inputs whose gradients are wanted, and what is multiplied with the result if there are any. */
  readonly names: readonly string[];
  readonly dy: Host | undefined;
}

export function makeSubject<A>(row: OpRow<A>, sample: Sample<A>): Subject<A> {
  const random = seeded(sample.id);
  const hosts = Object.fromEntries(Object.entries(sample.inputs).map(([name, spec]) => [name, generate(spec, random)]));
  const expected = row.reference(hosts, sample.args);
  const names = row.differentiable.filter((name) => sample.inputs[name] && (sample.inputs[name].dtype ?? "f32") === "f32");
  const dy = names.length > 0 ? generate({ shape: expected.shape }, random) : undefined;
  return { row, sample, hosts, expected, names, dy };
}

/** Result `y` and the gradients `d name` of Σ y·dy. The inner product hands dy back exactly: its other factor is 1. */
export function step<A>(
  { row, sample }: Subject<A>,
  on: Device,
  inputs: Record<string, Tensor>,
  dy: Tensor | undefined,
  names: readonly string[],
): Record<string, Tensor> {
  for (const name of names) inputs[name].requiresGrad = true;
  const y = row.run(inputs, sample.args, on);
  if (!dy || names.length === 0) return { y };
  const gradients = grad(
    sum(mul(y, dy)),
    names.map((name) => inputs[name]),
  );
  return { y, ...Object.fromEntries(names.map((name, i) => [`d ${name}`, gradients[i]])) };
}

export const upload = <A>({ sample }: Subject<A>, on: Device, hosts: Hosts): Record<string, Tensor> =>
  Object.fromEntries(Object.entries(hosts).map(([name, h]) => [name, on.tensor(h, sample.inputs[name]?.dtype ?? "f32")]));

export async function eager<A>(subject: Subject<A>, on: Device, names = subject.names) {
  const { hosts, dy } = subject;
  const results = scope(() => step(subject, on, upload(subject, on, hosts), dy && on.tensor(dy), names));
  const values = await readAll(results);
  const { shape } = results.y;
  for (const t of Object.values(results)) t.dispose();
  return { values, shape };
}

/** How closely gradients are looked at. */
export interface Effort {
  /** Operations of the reference for a gradient element by element; beyond, random directions. */
  readonly elementwise: number;
  /** Their number, and that for more than 100,000 elements. */
  readonly directions: readonly [few: number, large: number];
}

export const wholeEffort: Effort = { elementwise: 5e6, directions: [4, 2] };
export const quickEffort: Effort = { elementwise: 2e5, directions: [2, 1] };

/** What the result and each gradient of a sample are held against. Lazily, because slopes take most of the time. */
export function* expectations<A>(
  subject: Subject<A>,
  values: Readonly<Record<string, TypedArray>>,
  effort: Effort,
): Iterable<Expectation> {
  const { row, sample, expected, names } = subject;
  const { forward, floor } = { ...defaultTolerance, ...row.tolerance, ...sample.tolerance };
  yield { what: "forward", actual: values.y, expected: expected.data, tolerance: forward, floor };
  for (const name of names) yield* ofGradient(subject, name, values[`d ${name}`], effort);
}

function* ofGradient<A>(
  { row, sample, hosts, dy }: Subject<A>,
  name: string,
  actual: ArrayLike<number>,
  effort: Effort,
): Iterable<Expectation> {
  const allowed = { ...defaultTolerance, ...row.tolerance, ...sample.tolerance };
  if (sample.gradients) {
    const expected = sample.gradients(hosts, dy!)[name];
    yield { what: `gradient of ${name}`, actual, expected, tolerance: allowed.gradient, floor: allowed.floor };
    return;
  }
  const slope = { reference: (inputs: Hosts) => row.reference(inputs, sample.args), inputs: hosts, name, dy: dy! };
  const size = hosts[name].data.length;
  const shapes = Object.fromEntries(Object.entries(hosts).map(([key, h]) => [key, h.shape]));
  const flops = row.flops?.(shapes, sample.args) ?? Object.values(shapes).reduce((n, shape) => n + sizeOf(shape), 0);
  const cost = 2 * size * (flops + dy!.data.length);
  if (cost <= effort.elementwise) yield ofElements(slope, actual, allowed);
  else yield* ofDirections(slope, actual, allowed, seeded(`${sample.id} ${name}`), effort.directions[size > 1e5 ? 1 : 0]);
}
