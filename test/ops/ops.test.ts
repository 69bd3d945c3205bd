/**
 * @file Runs every row of the op table. Per sample: forward and gradients against the float64 reference, the same bits twice, the same bits
 * through `capture` and for each gradient alone, no temporary and no buffer left. One test per sample, named by its id: `npm test -- -t "conv/3d-stride2-pad1"`.
 */

import { describe, expect, test } from "vitest";
import * as voxgrad from "../../src/index.ts";
import * as losses from "../../src/nn/losses/elementwise.ts";
import { capture, type Device, type DType, grad, mul, noGrad, scope, sum, type Tensor } from "../../src/index.ts";
import { expectClose, expectSameBits, readAll } from "../lib/compare.ts";
import { device } from "../lib/device.ts";
import { allRows as rows } from "../lib/property.ts";
import { defaultTolerance, generate, type Host, type Hosts, normal, type Row, type Sample, seeded } from "../lib/row.ts";

const wanted = (row: Row<any>, sample: Sample<any>): string[] =>
  row.differentiable.filter((name) => sample.inputs[name] && (sample.inputs[name].dtype ?? "f32") === "f32");

/** Result `y` and the gradients `d name` of Σ y·dy. The inner product hands dy back exactly: its other factor is 1. */
function step(
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

const upload = (device: Device, sample: Sample<any>, hosts: Hosts): Record<string, Tensor> =>
  Object.fromEntries(Object.entries(hosts).map(([name, h]) => [name, device.tensor(h, sample.inputs[name]?.dtype ?? "f32")]));

async function eager(row: Row<any>, sample: Sample<any>, device: Device, hosts: Hosts, dy?: Host, names = wanted(row, sample)) {
  const results = scope(() => step(row, sample, device, upload(device, sample, hosts), dy && device.tensor(dy), names));
  const values = await readAll(results);
  const { shape, dtype } = results.y;
  for (const t of Object.values(results)) t.dispose();
  return { values, shape, dtype };
}

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

function checkGradient(
  row: Row<any>,
  sample: Sample<any>,
  hosts: Hosts,
  name: string,
  dy: Host,
  actual: ArrayLike<number>,
): void {
  const { gradient, floor } = { ...defaultTolerance, ...row.tolerance, ...sample.tolerance };
  const size = hosts[name].data.length;
  const shapes = Object.fromEntries(Object.entries(hosts).map(([key, h]) => [key, h.shape]));
  const cost = row.flops(shapes, sample.args) + dy.data.length;
  if (sample.gradients) {
    expectClose(`gradient of ${name}`, actual, sample.gradients(hosts, dy)[name], gradient, floor);
  } else if (2 * size * cost <= elementwiseFlops) {
    const v = new Float64Array(size);
    const expected = v.map((_, i) => {
      v.fill(0);
      v[i] = 1;
      return slope(row, sample, hosts, name, dy, v);
    });
    expectClose(`gradient of ${name}`, actual, expected, gradient, floor);
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
      expectClose(
        `gradient of ${name} along direction ${k}`,
        [along],
        [slope(row, sample, hosts, name, dy, v)],
        4 * gradient,
        Math.max(Math.sqrt(square), floor),
      );
    }
  }
}

for (const row of rows) {
  describe(row.name, () => {
    for (const sample of row.samples) {
      test(sample.id, async () => {
        const gpu = await device();
        const before = gpu.memory.buffers;
        const random = seeded(sample.id);
        const hosts = Object.fromEntries(Object.entries(sample.inputs).map(([name, spec]) => [name, generate(spec, random)]));
        const expected = row.reference(hosts, sample.args);
        const names = wanted(row, sample);
        const dy = names.length > 0 ? generate({ shape: expected.shape }, random) : undefined;
        const { forward, floor } = { ...defaultTolerance, ...row.tolerance, ...sample.tolerance };

        const { values, shape } = await eager(row, sample, gpu, hosts, dy);
        expect(shape).toEqual(expected.shape);
        expectClose("forward", values.y, expected.data, forward, floor);
        for (const name of names) checkGradient(row, sample, hosts, name, dy!, values[`d ${name}`]);

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
