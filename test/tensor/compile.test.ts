/** @file Programs compiled ahead: what `prepare` leaves to do on the adapter at hand, and how two devices share the work. */

import { expect, test } from "vitest";
import {
  add,
  capture,
  cumsum,
  type Device,
  div,
  exp,
  flip,
  lt,
  mul,
  openDevice,
  softmax,
  sum,
  type Tensor,
  where,
} from "../../src/index.ts";
import { WebGPUError } from "../../src/host/errors.ts";
import { openAdapter } from "../../src/tensor/adapter.ts";
import { compile } from "../../src/tensor/compile.ts";
import type { KernelCall } from "../../src/tensor/kernel.ts";

const input = { data: Float32Array.from([0.5, 1, 2, 4]), shape: [4] };
const steps = (x: Tensor): Tensor => sum(where(lt(exp(x), mul(x, x)), cumsum(softmax(x, 0), 0), div(add(x, flip(x, [0])), x)));

/** What a captured step has to compile. */
async function callsOf(device: Device): Promise<KernelCall[]> {
  const calls: KernelCall[] = [];
  const own = device.compile;
  device.compile = async (all) => void calls.push(...all);
  const step = capture(device, steps);
  await step.prepare([input]);
  step.dispose();
  device.compile = own;
  return calls;
}

/** As on a machine where each takes long. */
const slowly = async <T>(ask: () => Promise<T>): Promise<T> => {
  const answer = await ask();
  await new Promise((resolve) => setTimeout(resolve, 30));
  return answer;
};

/** Another device, and the programs that were made for it. */
function helper(): { open: () => Promise<GPUDevice>; made: string[] } {
  const made: string[] = [];
  const open = async () => {
    const { gpu } = await openAdapter({});
    const create = gpu.createComputePipelineAsync.bind(gpu);
    gpu.createComputePipelineAsync = (descriptor) => (made.push(descriptor.label!), create(descriptor));
    return gpu;
  };
  return { open, made };
}

const named = ({ gpu, pipelines }: Device) => ({ gpu, pipelines, name: "llvmpipe" });

test("where programs take long, another device begins from behind; all are told of once, and results are the same", async () => {
  const device = await openDevice();
  const calls = await callsOf(device);
  expect(calls.length).toBeGreaterThan(9);
  const { open, made } = helper();
  let done = 0;
  await compile(named(device), calls, slowly, open, () => done++);
  expect(done).toBe(calls.length);
  const keys = calls.map((call) => call.program.key);
  expect(made.length).toBeGreaterThan(0);
  expect(made.length).toBeLessThan(calls.length);
  expect(made).toEqual(keys.toReversed().slice(0, made.length));
  // What is there is not compiled again.
  await compile(
    named(device),
    calls,
    () => Promise.reject(new Error("asked")),
    undefined,
    () => done++,
  );
  expect(done).toBe(2 * calls.length);
  const value = await capture(device, steps)(input).item();
  device.close();
  const other = await openDevice();
  expect(await capture(other, steps)(input).item()).toBe(value);
  other.close();
});

test("a device that cannot help leaves the work to the first one; a program that is refused is an error", async () => {
  const device = await openDevice();
  const calls = await callsOf(device);
  let done = 0;
  const none = () => Promise.reject(new Error("none"));
  await compile(named(device), calls, slowly, none, () => done++);
  expect(done).toBe(calls.length);
  const broken = { ...calls[0], program: { key: "test.broken", code: "fn main( {" } };
  const other = await openDevice();
  const refused = compile(named(other), [...calls, broken], slowly, helper().open, () => {});
  await expect(refused).rejects.toBeInstanceOf(WebGPUError);
  for (const d of [device, other]) d.close();
});

test("a step that was prepared compiles nothing when it runs", async () => {
  const device = await openDevice();
  const step = capture(device, steps);
  const heard: number[] = [];
  await step.prepare([input], (done, total) => heard.push(done / total));
  expect(heard.at(-1)).toBe(1);
  const made = device.pipelines.size;
  await step(input).item();
  expect(device.pipelines.size).toBe(made);
  device.close();
});
