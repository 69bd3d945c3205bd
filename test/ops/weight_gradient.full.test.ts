/**
 * @file Right gradients at medical sizes. A weight gradient sums one product per pixel or voxel: 65,536 at 256², 262,144 at 64³. A plain f32
 * running sum loses digits with the count, most of all where nothing cancels, as for images in [0, 1).
 */

import { describe, expect, test } from "vitest";
import { conv, full, grad, mul, scope, sizeOf, sum } from "../../src/index.ts";
import { largest, readAll } from "../lib/compare.ts";
import { device } from "../lib/device.ts";
import { everyIndex, generate, normal, seeded, type Shape, uniform, type Values } from "../lib/row.ts";

const allowed = 1e-5;

interface Case {
  readonly size: Shape;
  readonly inChannels: number;
  readonly outChannels: number;
  readonly values: Values;
}

/** f64 Σ dy[co, o] · x[ci, o + t − 1] over all positions o: padding 1, stride 1, batch 1. */
function weightGradient(x: Float64Array, dy: Float64Array, size: Shape, ci: number, co: number, tap: readonly number[]): number {
  const [depth, height, width] = size.length === 3 ? size : [1, ...size];
  const [td, th, tw] = tap.length === 3 ? tap.map((t) => t - 1) : [0, ...tap.map((t) => t - 1)];
  const plane = depth * height * width;
  let total = 0;
  for (let d = Math.max(0, -td); d < Math.min(depth, depth - td); d++)
    for (let h = Math.max(0, -th); h < Math.min(height, height - th); h++) {
      const a = co * plane + (d * height + h) * width;
      const b = ci * plane + ((d + td) * height + h + th) * width + tw;
      for (let w = Math.max(0, -tw); w < Math.min(width, width - tw); w++) total += dy[a + w] * x[b + w];
    }
  return total;
}

/** f64 forward at one output position. */
function forwardAt(
  x: Float64Array,
  weight: Float64Array,
  bias: Float64Array,
  c: Case,
  co: number,
  at: readonly number[],
): number {
  const dims = c.size.length;
  const kernel = new Array<number>(dims).fill(3);
  let total = bias[co];
  everyIndex([c.inChannels, ...kernel], ([ci, ...tap], flat) => {
    let position = ci;
    for (let axis = 0; axis < dims; axis++) {
      const p = at[axis] + tap[axis] - 1;
      if (p < 0 || p >= c.size[axis]) return;
      position = position * c.size[axis] + p;
    }
    total += weight[co * c.inChannels * sizeOf(kernel) + flat] * x[position];
  });
  return total;
}

/** Worst error against the largest reference value and against the root mean square: the second is the stricter one. */
function errors(actual: readonly number[], expected: readonly number[]): { toLargest: number; toRms: number } {
  const worst = largest(actual.map((v, i) => v - expected[i]));
  const rms = Math.sqrt(expected.reduce((s, v) => s + v * v, 0) / expected.length);
  return { toLargest: worst / largest(expected), toRms: worst / rms };
}

const cases: [string, Case][] = [
  ["2d-256-uniform", { size: [256, 256], inChannels: 8, outChannels: 16, values: uniform }],
  ["2d-256-normal", { size: [256, 256], inChannels: 8, outChannels: 16, values: normal }],
  ["2d-256-first-layer", { size: [256, 256], inChannels: 1, outChannels: 16, values: uniform }],
  ["3d-64-uniform", { size: [64, 64, 64], inChannels: 4, outChannels: 8, values: uniform }],
  ["3d-64-normal", { size: [64, 64, 64], inChannels: 4, outChannels: 8, values: normal }],
];

describe("right gradients at medical sizes", () => {
  test.each(cases)("weight-gradient/%s", async (id, c) => {
    const gpu = await device();
    const random = seeded(id);
    const kernel = c.size.map(() => 3);
    const hosts = {
      x: generate({ shape: [1, c.inChannels, ...c.size], values: c.values }, random),
      weight: generate({ shape: [c.outChannels, c.inChannels, ...kernel] }, random),
      bias: generate({ shape: [c.outChannels] }, random),
      dy: generate({ shape: [1, c.outChannels, ...c.size], values: c.values }, random),
    };
    const results = scope(() => {
      const x = gpu.tensor(hosts.x);
      const weight = gpu.tensor(hosts.weight);
      const bias = gpu.tensor(hosts.bias);
      weight.requiresGrad = true;
      bias.requiresGrad = true;
      const y = conv(x, weight, bias, { padding: 1 });
      const [dWeight, dBias] = grad(sum(mul(y, gpu.tensor(hosts.dy))), [weight, bias]);
      return { y, dWeight, dBias };
    });
    const { y, dWeight, dBias } = await readAll(results);
    for (const t of Object.values(results)) t.dispose();

    // Every second weight: the float64 reference is what takes the time.
    const actual: number[] = [];
    const expected: number[] = [];
    everyIndex(hosts.weight.shape, ([co, ci, ...tap], flat) => {
      if (flat % 2 === 1 && dWeight.length > 200) return;
      actual.push(dWeight[flat]);
      expected.push(weightGradient(hosts.x.data, hosts.dy.data, c.size, ci, co, tap));
    });
    const plane = sizeOf(c.size);
    const biasExpected = Array.from({ length: c.outChannels }, (_, co) =>
      hosts.dy.data.subarray(co * plane, (co + 1) * plane).reduce((a, b) => a + b, 0),
    );
    const seen: number[] = [];
    const points: number[] = [];
    for (let k = 0; k < 2000; k++) {
      // Borders too: one coordinate in eight is an edge.
      const at = c.size.map((n) => (random() < 0.125 ? (random() < 0.5 ? 0 : n - 1) : Math.floor(random() * n)));
      const co = Math.floor(random() * c.outChannels);
      seen.push(y[at.reduce((p, i, axis) => p * c.size[axis] + i, co)]);
      points.push(forwardAt(hosts.x.data, hosts.weight.data, hosts.bias.data, c, co, at));
    }
    const found = {
      weight: errors(actual, expected),
      bias: errors([...dBias], biasExpected),
      forward: errors(seen, points),
    };
    if (process.env.VOXGRAD_VERBOSE) console.log(id, found);
    for (const [what, { toLargest, toRms }] of Object.entries(found)) {
      expect(toLargest, `${what}, error to the largest`).toBeLessThanOrEqual(allowed);
      expect(toRms, `${what}, error to the root mean square`).toBeLessThanOrEqual(allowed);
    }
  });
});

test("weights of taps that reach nothing have gradients of 0, whatever was in their memory before", async () => {
  const gpu = await device();
  const [x, seed] = [gpu.tensor({ data: new Float32Array(24).fill(1), shape: [1, 3, 1, 1, 8] }), new Float32Array(32).fill(1)];
  const shape = [4, 3, 5, 5, 5];
  const weight = gpu.tensor({ data: new Float32Array(sizeOf(shape)), shape });
  weight.requiresGrad = true;
  const dy = gpu.tensor({ data: seed, shape: [1, 4, 1, 1, 8] });
  for (let slabs = 1; slabs <= 16; slabs++) full(gpu, [slabs, ...shape], NaN).dispose();
  const gradient = scope(() => grad(sum(mul(conv(x, weight, undefined, { padding: 2 }), dy)), [weight])[0]);
  const found = await gradient.data();
  everyIndex(shape, ([, , d, h, w], i) => {
    const places = d === 2 && h === 2 ? 8 - Math.abs(w - 2) : 0;
    expect(found[i], `tap ${d}, ${h}, ${w}`).toBe(places);
  });
  for (const t of [x, weight, dy, gradient]) t.dispose();
});
