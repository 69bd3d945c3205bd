/**
 * @file Runs every row of the op table. Per sample: forward and gradients against the float64 reference, the same bits twice, the same bits
 * through `capture` and for each gradient alone, no temporary and no buffer left. One test per sample, named by its id: `npm test -- -t "conv/3d-stride2-pad1"`.
 */

import { describe, expect, test } from "vitest";
import * as voxgrad from "../../src/index.ts";
import * as losses from "../../src/nn/losses/elementwise.ts";
import { capture, type Device, type DType, noGrad, scope, type Tensor } from "../../src/index.ts";
import { expectClose, expectSameBits, readAll } from "../lib/compare.ts";
import { device } from "../lib/device.ts";
import { allRows as rows } from "../lib/property.ts";
import type { Host, Hosts, Row, Sample } from "../lib/row.ts";
import { eager, expectations, inputsOf, step, upload, wanted } from "../lib/sample.ts";

/** Outside of scopes and gradients an op leaves its result and nothing else. */
function expectNoTemporaries(row: Row<any>, sample: Sample<any>, device: Device, hosts: Hosts): void {
  const inputs = upload(device, sample, hosts);
  const before = device.memory.buffers;
  noGrad(() => row.run(inputs, sample.args, device)).dispose();
  expect(device.memory.buffers, "buffers of temporaries").toBeLessThanOrEqual(before);
  for (const t of Object.values(inputs)) t.dispose();
}

/** Traced once, then replayed: with the inputs, with others, with the inputs again. */
async function replayed(row: Row<any>, sample: Sample<any>, device: Device, hosts: Hosts, dy?: Host) {
  const all = dy ? { ...hosts, dy } : hosts;
  const names = Object.keys(all);
  const captured = capture(device, (...list: Tensor[]) => {
    const { dy: seed, ...inputs } = Object.fromEntries(names.map((name, i) => [name, list[i]]));
    return step(row, sample, device, inputs, seed, wanted(row, sample));
  });
  const call = (values: Hosts) => {
    const inputs = upload(device, sample, values);
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

for (const row of rows) {
  describe(row.name, () => {
    for (const sample of row.samples) {
      test(sample.id, async () => {
        const gpu = await device();
        const before = gpu.memory.buffers;
        const { hosts, dy, expected } = inputsOf(row, sample);
        const names = wanted(row, sample);

        const { values, shape } = await eager(row, sample, gpu, hosts, dy);
        expect(shape).toEqual(expected.shape);
        for (const e of expectations(row, sample, { hosts, dy, expected }, values)) {
          expectClose(e.what, e.actual, e.expected, e.tolerance, e.floor);
        }

        const again = await eager(row, sample, gpu, hosts, dy);
        const [first, second] = await replayed(row, sample, gpu, hosts, dy);
        for (const [name, bits] of Object.entries(values)) {
          expectSameBits(`${name}, run again`, again.values[name], bits);
          expectSameBits(`${name}, captured`, first[name], bits);
          expectSameBits(`${name}, replayed`, second[name], bits);
        }
        // One gradient alone takes other branches than all of them.
        for (const name of names.length > 1 ? names : []) {
          const alone = await eager(row, sample, gpu, hosts, dy, [name]);
          expectSameBits(`gradient of ${name} alone`, alone.values[`d ${name}`], values[`d ${name}`]);
        }
        expectNoTemporaries(row, sample, gpu, hosts);
        await gpu.settle();
        // Fewer is fine: what other tests forgot may be collected meanwhile.
        expect(gpu.memory.buffers, "live buffers").toBeLessThanOrEqual(before);
      });
    }
    for (const { id, call, error, message } of row.errors ?? []) {
      test(`${row.name}/error-${id}`, async () => {
        const gpu = await device();
        const before = gpu.memory.buffers;
        const zeros = (shape: readonly number[], dtype: DType = "f32") =>
          gpu.tensor({ shape, data: new Float64Array(voxgrad.sizeOf(shape)) }, dtype);
        const attempt = () => scope(() => void call(zeros, gpu));
        expect(attempt).toThrow(error);
        expect(attempt).toThrow(message);
        await gpu.settle();
        expect(gpu.memory.buffers, "live buffers").toBeLessThanOrEqual(before);
      });
    }
  });
}

test("ops/every exported op has a row, and ids are unique", () => {
  const others = [
    "openDevice",
    "capture",
    "keep",
    "scope",
    "sizeOf",
    "grad",
    "noGrad",
    "parameter",
    "checkpoint",
    "profile",
    "float32",
    "withPrecision",
    "tune",
    "useChoices",
  ];
  const exported = Object.entries({ ...voxgrad, ...losses }).filter(
    ([name, value]) => typeof value === "function" && /^[a-z]/.test(name) && !others.includes(name),
  );
  expect([...new Set(rows.map((r) => r.name))].sort()).toEqual(exported.map(([name]) => name).sort());
  const ids = rows.flatMap((r) => r.samples.map((s) => s.id));
  expect(ids.filter((id, i) => ids.indexOf(id) !== i)).toEqual([]);
  for (const r of rows) for (const s of r.samples) expect(s.id.startsWith(`${r.name}/`), s.id).toBe(true);
});
