/**
 * @file The tests of a row of the op table. Per sample: forward and gradients against the float64 reference, the same bits twice, the same bits
 * through `capture` and for each gradient alone, no temporary and no buffer left. The quick tier does all of it for the first sample of a row
 * and the comparison with the reference for the others; the full tier does all of it for all.
 */

import { describe, expect, test } from "vitest";
import { capture, type Device, type DType, noGrad, scope, sizeOf, type Tensor } from "../../src/index.ts";
import { expectSameBits, readAll } from "./compare.ts";
import { device } from "./device.ts";
import {
  eager,
  type Effort,
  expectations,
  makeSubject,
  quickEffort,
  step,
  type Subject,
  upload,
  wholeEffort,
} from "./expectations.ts";
import { expectMet } from "./gradient.ts";
import type { ErrorInput, Hosts, Row, Sample } from "./row.ts";

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

/** Forward and gradients against the reference. */
async function expectRight(subject: Subject, on: Device, effort: Effort) {
  const { values, shape } = await eager(subject, on);
  expect(shape).toEqual(subject.expected.shape);
  for (const expectation of expectations(subject, values, effort)) expectMet(expectation);
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

/** Bytes that tensors and plans hold, without scratch: that is shared with the plans which other tests keep. */
const held = (on: Device): number => on.memory.live - on.memoryReport().scratch;

async function expectNothingLeft(on: Device, before: number): Promise<void> {
  await on.settle();
  // Fewer is fine: what other tests forgot may be collected meanwhile.
  expect(held(on), "bytes held").toBeLessThanOrEqual(before);
}

async function testSample(row: Row<any>, sample: Sample<any>, whole: boolean): Promise<void> {
  const on = await device();
  const before = held(on);
  const subject = makeSubject(row, sample);
  const values = await expectRight(subject, on, whole ? wholeEffort : quickEffort);
  if (whole) await expectSame(subject, on, values);
  await expectNothingLeft(on, before);
}

async function testError({ call, error, message }: ErrorInput): Promise<void> {
  const on = await device();
  const before = held(on);
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
