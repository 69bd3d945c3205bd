/** @file One sample of the op table: its inputs, its run on a device, and what its result and gradients are held against. */

import { type Device, grad, mul, scope, sum, type Tensor, type TypedArray } from "../../src/index.ts";
import { readAll } from "./compare.ts";
import { defaultTolerance, generate, type Host, type Hosts, normal, type Row, type Sample, seeded } from "./row.ts";

/** Inputs that a sample is differentiated by. */
export const wanted = (row: Row<any>, sample: Sample<any>): string[] =>
  row.differentiable.filter((name) => sample.inputs[name] && (sample.inputs[name].dtype ?? "f32") === "f32");

/** What a sample computes on: inputs, the gradient of its result (if it is differentiated) and the float64 result. */
export interface SampleData {
  readonly hosts: Hosts;
  readonly dy: Host | undefined;
  readonly expected: Host;
}

export function inputsOf(row: Row<any>, sample: Sample<any>): SampleData {
  const random = seeded(sample.id);
  const hosts = Object.fromEntries(Object.entries(sample.inputs).map(([name, spec]) => [name, generate(spec, random)]));
  const expected = row.reference(hosts, sample.args);
  const dy = wanted(row, sample).length > 0 ? generate({ shape: expected.shape }, random) : undefined;
  return { hosts, dy, expected };
}

/** Result `y` and the gradients `d name` of Σ y·dy. The inner product hands dy back exactly: its other factor is 1. */
export function step(
  row: Row<any>,
  sample: Sample<any>,
  device: Device,
  inputs: Record<string, Tensor>,
  dy: Tensor | undefined,
  names: readonly string[],
): Record<string, Tensor> {
  for (const name of names) inputs[name].requiresGrad = true;
  const y = row.run(inputs, sample.args, device);
  if (!dy || names.length === 0) return { y };
  const gradients = grad(
    sum(mul(y, dy)),
    names.map((name) => inputs[name]),
  );
  return { y, ...Object.fromEntries(names.map((name, i) => [`d ${name}`, gradients[i]])) };
}

export const upload = (device: Device, sample: Sample<any>, hosts: Hosts): Record<string, Tensor> =>
  Object.fromEntries(Object.entries(hosts).map(([name, h]) => [name, device.tensor(h, sample.inputs[name]?.dtype ?? "f32")]));

export async function eager(
  row: Row<any>,
  sample: Sample<any>,
  device: Device,
  hosts: Hosts,
  dy?: Host,
  names = wanted(row, sample),
) {
  const results = scope(() => step(row, sample, device, upload(device, sample, hosts), dy && device.tensor(dy), names));
  const values = await readAll(results);
  const { shape, dtype } = results.y;
  for (const t of Object.values(results)) t.dispose();
  return { values, shape, dtype };
}

// A power of two, so that x ± h is exact.
const h = 2 ** -16;

/** Σ dy · (f(x + v h) − f(x − v h)) / 2h of the float64 reference: the slope of the loss along v in input `name`. */
function slope(row: Row<any>, sample: Sample<any>, hosts: Hosts, name: string, dy: Host, v: Float64Array): number {
  const { shape, data } = hosts[name];
  const moved = (by: number) =>
    row.reference({ ...hosts, [name]: { shape, data: data.map((x, i) => x + v[i] * by) } }, sample.args).data;
  const up = moved(h);
  const down = moved(-h);
  let total = 0;
  for (let i = 0; i < up.length; i++) total += dy.data[i] * (up[i] - down[i]);
  return total / (2 * h);
}

// Elementwise differences evaluate the reference twice per element; beyond this many operations, random directions.
const elementwiseFlops = 5e6;

/** Numbers of a device beside those of the reference, as `expectClose` takes them. */
export interface Expectation {
  readonly what: string;
  readonly actual: ArrayLike<number>;
  readonly expected: ArrayLike<number>;
  readonly tolerance: number;
  readonly floor: number;
}

/** What the result and each gradient of a sample are held against. Lazily, because slopes take most of the time. */
export function* expectations(
  row: Row<any>,
  sample: Sample<any>,
  { hosts, dy, expected }: SampleData,
  values: Readonly<Record<string, TypedArray>>,
): Iterable<Expectation> {
  const { forward, floor } = { ...defaultTolerance, ...row.tolerance, ...sample.tolerance };
  yield { what: "forward", actual: values.y, expected: expected.data, tolerance: forward, floor };
  for (const name of wanted(row, sample)) yield* ofGradient(row, sample, hosts, name, dy!, values[`d ${name}`]);
}

function* ofGradient(
  row: Row<any>,
  sample: Sample<any>,
  hosts: Hosts,
  name: string,
  dy: Host,
  actual: ArrayLike<number>,
): Iterable<Expectation> {
  const { gradient, floor } = { ...defaultTolerance, ...row.tolerance, ...sample.tolerance };
  const size = hosts[name].data.length;
  const shapes = Object.fromEntries(Object.entries(hosts).map(([key, h]) => [key, h.shape]));
  const cost = row.flops(shapes, sample.args) + dy.data.length;
  const what = `gradient of ${name}`;
  if (sample.gradients) {
    yield { what, actual, expected: sample.gradients(hosts, dy)[name], tolerance: gradient, floor };
  } else if (2 * size * cost <= elementwiseFlops) {
    const v = new Float64Array(size);
    const expected = v.map((_, i) => {
      v.fill(0);
      v[i] = 1;
      return slope(row, sample, hosts, name, dy, v);
    });
    yield { what, actual, expected, tolerance: gradient, floor };
  } else {
    const random = seeded(`${sample.id} ${name}`);
    const directions = size > 1e5 ? 2 : 4;
    for (let k = 0; k < directions; k++) {
      const v = Float64Array.from({ length: size }, (_, i) => normal(random, i));
      let along = 0;
      let square = 0;
      for (let i = 0; i < size; i++) {
        along += actual[i] * v[i];
        square += actual[i] ** 2;
      }
      // v has unit variance, so an error e changes the product by about |e|.
      yield {
        what: `${what} along direction ${k}`,
        actual: [along],
        expected: [slope(row, sample, hosts, name, dy, v)],
        tolerance: 4 * gradient,
        floor: Math.max(Math.sqrt(square), floor),
      };
    }
  }
}
