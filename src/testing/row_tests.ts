/** @file The tests of a row of the op table, for any test framework. */

import { expectFields } from "../host/kinds.ts";
import { noGrad } from "../autograd/tape.ts";
import { type DType, sizeOf } from "../host/array.ts";
import { MismatchError } from "../host/errors.ts";
import { expectOptions } from "../host/options.ts";
import { sameShape, showShape } from "../host/shape.ts";
import { capture } from "../tensor/capture.ts";
import type { Device } from "../tensor/device.ts";
import { scope } from "../tensor/scope.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { compareBits, readAll } from "./compare.ts";
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
import { expectMet } from "./slopes.ts";
import type { ErrorInput, Hosts, OpRow, Sample } from "./row.ts";

/** Outside of scopes and gradients an op leaves its result and nothing else. */
function expectNoTemporaries<A>(subject: Subject<A>, on: Device): void {
  const inputs = upload(subject, on, subject.hosts);
  const before = on.memory.buffers;
  noGrad(() => subject.row.run(inputs, subject.sample.args, on)).dispose();
  const left = on.memory.buffers - before;
  if (left > 0)
    throw new MismatchError(
      `${subject.row.name} leaves ${left} buffers of temporaries behind: dispose them, or compute in a scope`,
    );
  for (const t of Object.values(inputs)) t.dispose();
}

/** Traced once, then replayed: with the inputs, with others, with the inputs again. */
async function replayed<A>(subject: Subject<A>, on: Device) {
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
async function expectRight<A>(subject: Subject<A>, on: Device, effort: Effort) {
  const { values, shape } = await eager(subject, on);
  const wanted = subject.expected.shape;
  if (!sameShape(shape, wanted))
    throw new MismatchError(`the result has shape ${showShape(shape)}, the reference ${showShape(wanted)}`);
  for (const expectation of expectations(subject, values, effort)) expectMet(expectation);
  return values;
}

/** The same bits again, captured, replayed, and for each gradient alone. */
async function expectSame<A>(subject: Subject<A>, on: Device, values: Awaited<ReturnType<typeof readAll>>): Promise<void> {
  const { names } = subject;
  const again = await eager(subject, on);
  const [first, second] = await replayed(subject, on);
  for (const [name, bits] of Object.entries(values)) {
    compareBits(`${name}, run again`, again.values[name], bits);
    compareBits(`${name}, captured`, first[name], bits);
    compareBits(`${name}, replayed`, second[name], bits);
  }
  // One gradient alone takes other branches than all of them.
  for (const name of names.length > 1 ? names : []) {
    const alone = await eager(subject, on, [name]);
    compareBits(`gradient of ${name} alone`, alone.values[`d ${name}`], values[`d ${name}`]);
  }
  expectNoTemporaries(subject, on);
}

/** Bytes that tensors and plans hold, without scratch: that is shared with the plans which other tests keep. */
const held = (on: Device): number => on.memory.live - on.memoryReport().scratch;

async function expectNothingLeft(on: Device, before: number): Promise<void> {
  await on.settle();
  // Fewer is fine: what other tests forgot may be collected meanwhile.
  const left = held(on) - before;
  if (left > 0) throw new MismatchError(`${left} bytes more are held than before: something was not disposed`);
}

async function testSample<A>(row: OpRow<A>, sample: Sample<A>, whole: boolean, on: Device): Promise<void> {
  const before = held(on);
  const subject = makeSubject(row, sample);
  const values = await expectRight(subject, on, whole ? wholeEffort : quickEffort);
  if (whole) await expectSame(subject, on, values);
  await expectNothingLeft(on, before);
}

async function testError({ call, error, message }: ErrorInput, on: Device): Promise<void> {
  const before = held(on);
  const zeros = (shape: readonly number[], dtype: DType = "f32") =>
    on.tensor({ shape, data: new Float64Array(sizeOf(shape)) }, dtype);
  // The second attempt must fail as the first did.
  for (let i = 0; i < 2; i++) {
    const thrown = thrownBy(() => scope(() => void call(zeros, on)));
    if (!(thrown instanceof error) || !message.test(thrown.message)) {
      throw new MismatchError(`expected ${error.name} ${message}, got ${thrown === undefined ? "no error" : String(thrown)}`);
    }
  }
  await expectNothingLeft(on, before);
}

function thrownBy(fn: () => void): unknown {
  try {
    fn();
  } catch (error) {
    return error;
  }
  return undefined;
}

/** One test, for any framework: `test(title, () => run(device))`. */
export interface RowTest {
  /** The id of a sample, or `<row>/error-<id>`. */
  readonly title: string;
  /** Rejects with `MismatchError`, or with what the operation throws. The device should have no other work meanwhile: what it holds is compared. */
  readonly run: (device: Device) => Promise<void>;
}

/** Options of `rowTests`. */
export interface RowTestOptions {
  /** Do all of it for every sample; by default the first sample gets all, the others the comparison with the reference. */
  readonly whole?: boolean;
  /** Also the error inputs; default true. */
  readonly errors?: boolean;
}

/**
 * The tests that voxgrad's own operations pass. For each sample: the result and its gradients against the float64 reference (gradients by finite differences of
 * it); the same bits when run again, in `capture`, replayed, and for each gradient alone; no temporary and no buffer left. For each error input: the
 * error, twice.
 *
 *     for (const { title, run } of rowTests(row)) test(title, () => run(device));
 */
export function rowTests<A>(row: OpRow<A>, options: RowTestOptions = {}): readonly RowTest[] {
  expectOptions("rowTests", options, "whole errors");
  expectFields("rowTests", "row", row, { name: "text", samples: "objects", errors: "objects?" });
  const { whole = false, errors = true } = options;
  return [
    ...row.samples.map((sample, i) => ({
      title: sample.id,
      run: (on: Device) => testSample(row, sample, whole || i === 0, on),
    })),
    ...(errors ? (row.errors ?? []) : []).map((input) => ({
      title: `${row.name}/error-${input.id}`,
      run: (on: Device) => testError(input, on),
    })),
  ];
}
