/**
 * @file The op table on a device that takes only a few workgroups per dimension of a dispatch: every result must have the bits that it has
 * without folding. In full size: workgroups.full.test.ts.
 */

import { afterAll, expect, test } from "vitest";
import { type Device, openDevice } from "../../src/index.ts";
import type { KernelCall } from "../../src/tensor/kernel.ts";
import { expectSameBits } from "../lib/compare.ts";
import { device } from "../lib/device.ts";
import { bytesOf, type Sample } from "../lib/row.ts";
import { sampleResults } from "../lib/sample.ts";
import { allRows } from "../lib/table.ts";

const usual = await device();
const folding: Device = await openDevice();
let few = 1;
const limits = new Proxy(folding.gpu.limits, {
  get: (target, key) => (key === "maxComputeWorkgroupsPerDimension" ? few : Reflect.get(target, key, target)),
});
Object.defineProperty(folding.gpu, "limits", { value: limits });
afterAll(() => folding.close());

/** Calls `fn` and tells the calls of kernels that a device ran for it. */
async function callsOf<T>(on: Device, fn: () => Promise<T>): Promise<[T, readonly KernelCall[]]> {
  const calls: KernelCall[] = [];
  const run = on.run.bind(on);
  on.run = (call: KernelCall) => {
    calls.push(call);
    run(call);
  };
  try {
    return [await fn(), calls];
  } finally {
    on.run = run;
  }
}

const workgroups = ({ workgroups: [x, y, z] }: KernelCall) => x * y * z;
const bytes = (s: Sample<any>) => bytesOf(...Object.values(s.inputs).map((i) => i.shape));
const named = [...new Set(allRows.map((row) => row.name))];

test.each(named)("folded/%s", async (name) => {
  const samples = allRows.filter((row) => row.name === name).flatMap((row) => row.samples.map((sample) => ({ row, sample })));
  const usable = samples.filter(({ sample }) => bytes(sample) < 2 ** 18).sort((a, b) => bytes(b.sample) - bytes(a.sample));
  for (const { row, sample } of usable.slice(0, 3)) {
    const [expected, calls] = await callsOf(usual, () => sampleResults(row, sample, usual));
    few = Math.max(1, Math.ceil(Math.sqrt(Math.max(0, ...calls.map(workgroups)))));
    const [values, folded] = await callsOf(folding, () => sampleResults(row, sample, folding));
    for (const [what, bits] of Object.entries(values)) expectSameBits(`${sample.id}: ${what}`, bits, expected[what]);
    // Each grid that had more was folded, and none has more than it may. What is dispatched along several axes goes on by strides instead.
    const axes = new Set(calls.filter((call) => workgroups(call) > call.workgroups[0]).map((call) => call.program.key));
    const grids = new Set(calls.map((call) => call.program.key).filter((key) => !axes.has(key)));
    const over = calls.filter((call) => workgroups(call) > few && grids.has(call.program.key)).map((call) => call.program.key);
    const split = folded.filter((call) => call.workgroups[1] > 1 && grids.has(call.program.key)).map((call) => call.program.key);
    expect(new Set(split)).toEqual(new Set(over));
    for (const call of folded) expect(Math.max(...call.workgroups), call.program.key).toBeLessThanOrEqual(few);
  }
});
