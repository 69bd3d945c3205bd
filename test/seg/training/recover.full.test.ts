/** @file A device that is lost, or refuses memory, at any of the calls that a run makes of it: a typed error at once, and a run that goes on ends in the same weights. */

import { describe, expect, test } from "vitest";
import { type Device, DeviceLostError, openDevice, OutOfMemoryError } from "../../../src/index.ts";
import { configure, fit, memoryStore, type RunStore, slices2d } from "../../../src/seg/index.ts";
import { memoryData, tinyRun } from "../../lib/memory_data.ts";

const data = memoryData();
const described = await configure(slices2d, data, { data: "memory", ...tinyRun, epochs: 1, samplesPerVolume: 4, numWorkers: 0 });
const trains = (device: Device, store: RunStore, resume = false) => fit(slices2d, { device, data, store, ...described, resume });

/** Calls `strike` before the k-th call of a method. @returns how many calls there were */
function before(owner: object, name: string, k: number, strike: () => void): () => number {
  const methods = owner as Record<string, (...args: unknown[]) => unknown>;
  const real = methods[name].bind(owner);
  let calls = 0;
  methods[name] = (...args) => {
    if (++calls === k) strike();
    return real(...args);
  };
  return () => calls;
}

const weights = async (store: RunStore) => Buffer.from((await store.read("weights.safetensors"))!).toString("hex");

async function trained(): Promise<string> {
  const device = await openDevice();
  const store = memoryStore();
  await trains(device, store);
  device.close();
  return weights(store);
}

/** Trains with a fault at the k-th call, for k = 1, 1 + step … until there is none, and goes on where there was. */
async function every(step: number, faulty: (device: Device, k: number) => () => number, error: new () => Error): Promise<void> {
  const whole = await trained();
  for (let k = 1; ; k += step) {
    const store = memoryStore();
    const device = await openDevice();
    const calls = faulty(device, k);
    const outcome = await trains(device, store).catch((e: unknown) => e);
    device.close();
    if (calls() < k) return expect([k > 3 * step, await weights(store)]).toEqual([true, whole]);
    const where = `call ${k}`;
    expect(outcome, where).toBeInstanceOf(error);
    const another = await openDevice();
    await trains(another, store, await store.has("checkpoint.safetensors"));
    another.close();
    expect(await weights(store), where).toBe(whole);
  }
}

describe("a run goes on from", () => {
  test("a device lost at any submission", () =>
    every(7, ({ gpu }, k) => before(gpu.queue, "submit", k, () => gpu.destroy()), DeviceLostError));

  test("a device lost at any allocation", () =>
    every(9, ({ gpu }, k) => before(gpu, "createBuffer", k, () => gpu.destroy()), DeviceLostError));

  test("memory refused at any allocation", () =>
    every(
      9,
      ({ gpu }, k) => {
        const [push, pop] = [gpu.pushErrorScope.bind(gpu), gpu.popErrorScope.bind(gpu)];
        const scopes: GPUErrorFilter[] = [];
        let calls = 0;
        gpu.pushErrorScope = (filter) => (scopes.push(filter), push(filter));
        gpu.popErrorScope = () => {
          const refused = scopes.pop() === "out-of-memory" && ++calls === k;
          const told = pop();
          return refused ? told.then(() => Object.assign(Object.create(null) as GPUError, { message: "made up" })) : told;
        };
        return () => calls;
      },
      OutOfMemoryError,
    ));
});
