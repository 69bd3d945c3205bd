/**
 * @file The tests of a row of the op table. Per sample: forward and gradients against the float64 reference, the same bits twice, the same bits
 * through `capture` and for each gradient alone, no temporary and no buffer left. The quick tier does all of it for the first sample of a row
 * and the comparison with the reference for the others; the full tier does all of it for all.
 */

import { describe, expect, test } from "vitest";
import { capture, type Device, type DType, grad, mul, noGrad, scope, sizeOf, sum, type Tensor } from "../../src/index.ts";
import { expectClose, expectSameBits, readAll } from "./compare.ts";
import { device } from "./device.ts";
import { expectDirections, expectGradient } from "./gradient.ts";
import { defaultTolerance, type ErrorInput, generate, type Host, type Hosts, type Row, type Sample, seeded } from "./row.ts";

/** A sample of a row with the numbers it runs on. */
interface Subject {
  readonly row: Row<any>;
  readonly sample: Sample<any>;
  readonly hosts: Hosts;
  readonly expected: Host;
  /** Inputs whose gradients are wanted, and what is multiplied with the result if there are any. */
  readonly names: readonly string[];
  readonly dy: Host | undefined;
}

function makeSubject(row: Row<any>, sample: Sample<any>): Subject {
  const random = seeded(sample.id);
  const hosts = Object.fromEntries(Object.entries(sample.inputs).map(([name, spec]) => [name, generate(spec, random)]));
  const expected = row.reference(hosts, sample.args);
  const names = row.differentiable.filter((name) => sample.inputs[name] && (sample.inputs[name].dtype ?? "f32") === "f32");
  const dy = names.length > 0 ? generate({ shape: expected.shape }, random) : undefined;
  return { row, sample, hosts, expected, names, dy };
}

/** Result `y` and the gradients `d name` of Σ y·dy. The inner product hands dy back exactly: its other factor is 1. */
function step(
  { row, sample }: Subject,
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

const upload = ({ sample }: Subject, on: Device, hosts: Hosts): Record<string, Tensor> =>
  Object.fromEntries(Object.entries(hosts).map(([name, h]) => [name, on.tensor(h, sample.inputs[name]?.dtype ?? "f32")]));

async function eager(subject: Subject, on: Device, names = subject.names) {
  const { hosts, dy } = subject;
  const results = scope(() => step(subject, on, upload(subject, on, hosts), dy && on.tensor(dy), names));
  const values = await readAll(results);
  const { shape } = results.y;
  for (const t of Object.values(results)) t.dispose();
  return { values, shape };
}

/** Outside of scopes and gradients an op leaves its result and nothing else. */
function expectNoTemporaries(subject: Subject, on: Device): void {
  const inputs = upload(subject, on, subject.hosts);
  const before = on.memory.buffers;
  noGrad(() => subject.row.run(inputs, subject.sample.args, on)).dispose();
  expect(on.memory.buffers, "buffers of temporaries").toBeLessThanOrEqual(before);
  for (const t of Object.values(inputs)) t.dispose();
}

/** Traced once, then replayed: with the inputs, with others, with the inputs again. */
async function replayed(subject: Subject, on: Device) {
  const { hosts, dy, names: wanted } = subject;
  const all = dy ? { ...hosts, dy } : hosts;
  const names = Object.keys(all);
  const captured = capture(on, (...list: Tensor[]) => {
    const { dy: seed, ...inputs } = Object.fromEntries(names.map((name, i) => [name, list[i]]));
    return step(subject, on, inputs, seed, wanted);
  });
  const call = (values: Hosts) => {
    const inputs = upload(subject, on, values);
    const results = captured(...names.map((name) => inputs[name]));
    for (const t of Object.values(inputs)) t.dispose();
    return readAll(results);
  };
  const first = await call(all);
  const other = Object.entries(all).map(([name, h]) => [name, { ...h, data: h.data.toReversed() }] as const);
  await call(Object.fromEntries(other));
  const second = await call(all);
  captured.dispose();
  return [first, second];
}

/** How closely gradients are looked at. */
interface Effort {
  /** Operations of the reference for a gradient element by element; beyond, random directions. */
  readonly elementwise: number;
  /** Their number, and that for more than 100,000 elements. */
  readonly directions: readonly [few: number, large: number];
}

const wholeEffort: Effort = { elementwise: 5e6, directions: [4, 2] };
const quickEffort: Effort = { elementwise: 2e5, directions: [2, 1] };

function expectGradientOf({ row, sample, hosts, dy }: Subject, name: string, actual: ArrayLike<number>, effort: Effort): void {
  const allowed = { ...defaultTolerance, ...row.tolerance, ...sample.tolerance };
  if (sample.gradients) {
    const expected = sample.gradients(hosts, dy!)[name];
    return expectClose(`gradient of ${name}`, actual, expected, allowed.gradient, allowed.floor);
  }
  const slope = { reference: (inputs: Hosts) => row.reference(inputs, sample.args), inputs: hosts, name, dy: dy! };
  const size = hosts[name].data.length;
  const shapes = Object.fromEntries(Object.entries(hosts).map(([key, h]) => [key, h.shape]));
  const cost = 2 * size * (row.flops(shapes, sample.args) + dy!.data.length);
  if (cost <= effort.elementwise) return expectGradient(slope, actual, allowed);
  expectDirections(slope, actual, allowed, seeded(`${sample.id} ${name}`), effort.directions[size > 1e5 ? 1 : 0]);
}

/** Forward and gradients against the reference. */
async function expectRight(subject: Subject, on: Device, effort: Effort) {
  const { row, sample, expected, names } = subject;
  const { forward, floor } = { ...defaultTolerance, ...row.tolerance, ...sample.tolerance };
  const { values, shape } = await eager(subject, on);
  expect(shape).toEqual(expected.shape);
  expectClose("forward", values.y, expected.data, forward, floor);
  for (const name of names) expectGradientOf(subject, name, values[`d ${name}`], effort);
  return values;
}

/** The same bits again, captured, replayed, and for each gradient alone. */
async function expectSame(subject: Subject, on: Device, values: Awaited<ReturnType<typeof readAll>>): Promise<void> {
  const { names } = subject;
  const again = await eager(subject, on);
  const [first, second] = await replayed(subject, on);
  for (const [name, bits] of Object.entries(values)) {
    expectSameBits(`${name}, run again`, again.values[name], bits);
    expectSameBits(`${name}, captured`, first[name], bits);
    expectSameBits(`${name}, replayed`, second[name], bits);
  }
  // One gradient alone takes other branches than all of them.
  for (const name of names.length > 1 ? names : []) {
    const alone = await eager(subject, on, [name]);
    expectSameBits(`gradient of ${name} alone`, alone.values[`d ${name}`], values[`d ${name}`]);
  }
  expectNoTemporaries(subject, on);
}

async function expectNothingLeft(on: Device, before: number): Promise<void> {
  await on.settle();
  // Fewer is fine: what other tests forgot may be collected meanwhile.
  expect(on.memory.buffers, "live buffers").toBeLessThanOrEqual(before);
}

async function testSample(row: Row<any>, sample: Sample<any>, whole: boolean): Promise<void> {
  const on = await device();
  const before = on.memory.buffers;
  const subject = makeSubject(row, sample);
  const values = await expectRight(subject, on, whole ? wholeEffort : quickEffort);
  if (whole) await expectSame(subject, on, values);
  await expectNothingLeft(on, before);
}

async function testError({ call, error, message }: ErrorInput): Promise<void> {
  const on = await device();
  const before = on.memory.buffers;
  const zeros = (shape: readonly number[], dtype: DType = "f32") =>
    on.tensor({ shape, data: new Float64Array(sizeOf(shape)) }, dtype);
  const attempt = () => scope(() => void call(zeros, on));
  expect(attempt).toThrow(error);
  expect(attempt).toThrow(message);
  await expectNothingLeft(on, before);
}

/** One test per sample, named by its id, and one per error. */
export function testRows(rows: readonly Row<any>[], tier: "quick" | "full"): void {
  for (const row of rows) {
    describe(row.name, () => {
      row.samples.forEach((sample, i) => test(sample.id, () => testSample(row, sample, tier === "full" || i === 0)));
      if (tier === "full") return;
      for (const input of row.errors ?? []) test(`${row.name}/error-${input.id}`, () => testError(input));
    });
  }
}
