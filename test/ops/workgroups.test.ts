/**
 * @file More workgroups than one dimension of a dispatch may have, 65,535: in full size where that is cheap, and over the op table on a device that
 * takes only a few per dimension, where every result must have the bits that it has without folding.
 */

import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import * as vx from "../../src/index.ts";
import { type Device, noGrad, openDevice, scope, type Tensor } from "../../src/index.ts";
import { Adam, SGD } from "../../src/nn/index.ts";
import { reduceSum } from "../../src/kernels/reduce.ts";
import type { KernelCall } from "../../src/tensor/kernel.ts";
import { backpropagate } from "../../src/autograd/tape.ts";
import { expectSameBits } from "../lib/compare.ts";
import { device } from "../lib/device.ts";
import { allRows, sampleResults } from "../lib/property.ts";
import { bytesOf, type Sample, type Shape } from "../lib/row.ts";

const limit = 65535;
const gpu = await device();

/** Most workgroups of one call since the test began. */
let most = 0;
const run = gpu.run.bind(gpu);
beforeEach(() => {
  most = 0;
  gpu.run = (call: KernelCall) => {
    const [x, y, z] = call.workgroups;
    expect(Math.max(x, y, z), `${call.program.key} [${call.workgroups.join()}]`).toBeLessThanOrEqual(limit);
    most = Math.max(most, x * y * z);
    run(call);
  };
});
afterEach(() => {
  gpu.run = run;
});

/** A pattern that no run of a power of two repeats. */
const value = (i: number): number => ((i * 7919) % 1009) / 256 - 2;
const pattern = (shape: Shape, of = value): Tensor => {
  const data = new Float32Array(vx.sizeOf(shape));
  for (let i = 0; i < data.length; i++) data[i] = of(i);
  return gpu.tensor({ data, shape });
};
const seedOf = (i: number): number => value(3 * i + 5);

/** Result and gradients of Σ f(inputs) · seed, where the seed of element i is `seedOf(i)`. */
function both(f: (...inputs: Tensor[]) => Tensor, ...inputs: Tensor[]): Promise<ArrayLike<number>[]> {
  const results = scope(() => {
    for (const t of inputs) t.requiresGrad = true;
    const y = f(...inputs);
    return [y, ...noGrad(() => scope(() => backpropagate(y, pattern(y.shape, seedOf), inputs).map((g) => g!)))];
  });
  for (const t of inputs) t.dispose();
  const read = Promise.all(results.map((t) => t.data()));
  for (const t of results) t.dispose();
  return read;
}

/** Every 1,009th element, both ends and the places around where the first dimension ends. */
function expectAt(what: string, list: ArrayLike<number>, expected: (i: number) => number, tolerance = 1e-5): void {
  const look = (i: number) => {
    const wanted = expected(i);
    if (Math.abs(list[i] - wanted) <= tolerance * Math.max(1, Math.abs(wanted))) return;
    throw new Error(`${what}: element ${i} of ${list.length} is ${list[i]}, expected ${wanted}`);
  };
  for (let i = 0; i < list.length; i += 1009) look(i);
  for (const edge of [limit, limit * 64, list.length]) {
    for (let i = Math.max(0, edge - 70); i < Math.min(list.length, edge + 70); i++) look(i);
  }
}

const odd = limit * 64 + 129; // no multiple of four, so that a thread has one element
const many = limit + 5;

describe("more than 65,535 workgroups", () => {
  afterEach(() => expect(most, "workgroups").toBeGreaterThan(limit));
  afterAll(() => gpu.pool.trim());

  test("pointwise", async () => {
    const [y, dx] = await both((x) => vx.leakyRelu(x, 0.5), pattern([odd]));
    expectAt("forward", y, (i) => (value(i) > 0 ? value(i) : value(i) / 2));
    expectAt("gradient", dx, (i) => seedOf(i) * (value(i) > 0 ? 1 : 0.5));
  });

  test("broadcast", async () => {
    const columns = (odd - 1) / 2;
    const [y, da, db] = await both(
      vx.mul,
      pattern([2, columns]),
      pattern([2, 1], (i) => i + 2),
    );
    expectAt("forward", y, (i) => value(i) * (Math.floor(i / columns) + 2));
    expectAt("gradient", da, (i) => seedOf(i) * (Math.floor(i / columns) + 2));
    expect(db.length).toBe(2);
  });

  test("reduction with a thread per result", async () => {
    const [y, dx] = await both((x) => vx.sum(x, 0), pattern([2, odd]));
    expectAt("forward", y, (i) => value(i) + value(i + odd));
    expectAt("gradient", dx, (i) => seedOf(i % odd));
  });

  // 513 terms are the fewest that a workgroup adds for one of so many results; only as f16 can they be bound.
  test.runIf(gpu.gpu.features.has("shader-f16"))("reduction with a workgroup per result", async () => {
    const total = scope(() => {
      const column = vx.cast(
        pattern([many, 1], (i) => i % 7),
        "f16",
      );
      return vx.float32(reduceSum(vx.expand(column, [many, 513]), [1], false));
    });
    const list = await total.data();
    total.dispose();
    expectAt("sums", list, (i) => 513 * (i % 7), 1e-3);
  });

  test("group, batch and layer norm", async () => {
    const pair = (i: number) => [value(i - (i % 2)), value(i - (i % 2) + 1)];
    const scaled = (i: number) => {
      const [a, b] = pair(i);
      const spread = Math.sqrt(((a - b) / 2) ** 2 + 1e-5);
      return ((i % 2 === 0 ? 1 : -1) * (a - b)) / 2 / spread;
    };
    const affine = () => [pattern([many], (i) => 1 + (i % 3)), pattern([many], (i) => i % 5)];
    const [y, , dw, db] = await both((x, w, b) => vx.instanceNorm(x, w, b), pattern([1, many, 2]), ...affine());
    expectAt("instance norm", y, (i) => scaled(i) * (1 + ((i >> 1) % 3)) + ((i >> 1) % 5), 1e-4);
    expectAt("weight gradient", dw, (c) => scaled(2 * c) * seedOf(2 * c) + scaled(2 * c + 1) * seedOf(2 * c + 1), 1e-4);
    expectAt("bias gradient", db, (c) => seedOf(2 * c) + seedOf(2 * c + 1));
    const [z] = await both((x, w, b) => vx.batchNorm(x, w, b), pattern([1, many, 2]), ...affine());
    expectAt("batch norm", z, (i) => scaled(i) * (1 + ((i >> 1) % 3)) + ((i >> 1) % 5), 1e-4);
    const [l] = await both((x) => vx.layerNorm(x, [2]), pattern([many, 2]));
    expectAt("layer norm", l, scaled, 1e-4);
  });

  test("softmax", async () => {
    const [y, dx] = await both((x) => vx.softmax(x, 0), pattern([2, odd]));
    const p = (i: number) => 1 / (1 + Math.exp(value((i + odd) % (2 * odd)) - value(i)));
    expectAt("forward", y, p);
    expectAt("gradient", dx, (i) => p(i) * (1 - p(i)) * (seedOf(i) - seedOf((i + odd) % (2 * odd))));
  });

  test("region sums", async () => {
    const target = pattern([many, 1, 2], (i) => i % 2);
    const [y] = await both((x) => vx.regionSums(x, target), pattern([many, 1, 2]));
    expectAt("overlap", y, (i) =>
      i < many ? value(2 * i + 1) : i < 2 * many ? value(2 * (i - many)) + value(2 * (i - many) + 1) : 1,
    );
    target.dispose();
    const labels = pattern([1, 1, odd], (i) => i % 2);
    const [, dx] = await both((x) => vx.regionSums(x, labels), pattern([1, 1, odd]));
    expectAt("gradient", dx, (i) => (i % 2) * seedOf(0) + seedOf(1));
    labels.dispose();
  });

  test("pools, interpolation and unpooling of many planes", async () => {
    const planes = 8 * many; // a thread does eight
    const best = (c: number) => (value(2 * c) >= value(2 * c + 1) ? 0 : 1);
    const [y, dx] = await both((x) => vx.maxPool(x, { kernelSize: 2 }), pattern([1, planes, 2]));
    expectAt("max pool", y, (c) => value(2 * c + best(c)));
    expectAt("its gradient", dx, (i) => (best(i >> 1) === i % 2 ? seedOf(i >> 1) : 0));
    const [z, dz] = await both((x) => vx.avgPool(x, { kernelSize: 2 }), pattern([1, planes, 2]));
    expectAt("average pool", z, (c) => (value(2 * c) + value(2 * c + 1)) / 2);
    expectAt("its gradient", dz, (i) => seedOf(i >> 1) / 2);
    const [u] = await both((x) => vx.interpolate(x, { scaleFactor: 2 }), pattern([1, planes, 1]));
    expectAt("interpolation", u, (i) => value(i >> 1));
    const zeros = gpu.tensor({ shape: [1, odd, 1], data: new Float32Array(odd) }, "i32");
    const [w, dw] = await both((x) => vx.maxUnpool(x, zeros, { kernelSize: 1 }), pattern([1, odd, 1]));
    expectAt("unpooling", w, value);
    expectAt("its gradient", dw, seedOf);
    zeros.dispose();
  });

  test("moves and products", async () => {
    const half = (odd - 1) / 2;
    const [y, dx] = await both((x) => vx.permute(x, [1, 0]), pattern([2, half]));
    expectAt("permute", y, (i) => value((i % 2) * half + (i >> 1)));
    expectAt("its gradient", dx, (i) => seedOf((i % half) * 2 + Math.floor(i / half)));
    const [z, da] = await both((a, b) => vx.matmul(a, b), pattern([many, 1, 2]), pattern([many, 2, 1], seedOf));
    expectAt("matmul", z, (i) => value(2 * i) * seedOf(2 * i) + value(2 * i + 1) * seedOf(2 * i + 1));
    expectAt("its gradient", da, (i) => seedOf(i) * seedOf(i >> 1));
  });

  test("a step of optimisers on a large flat buffer", async () => {
    const parameters = () => [vx.parameter(pattern([odd]))];
    const gradient = pattern([odd], seedOf);
    const [plain, adaptive] = [parameters(), parameters()];
    const optimisers = [new SGD(plain, { lr: 0.5 }), new Adam(adaptive, { lr: 0.5 })];
    optimisers.forEach((optimiser) => optimiser.step([gradient]));
    expectAt("SGD", await plain[0].data(), (i) => value(i) - 0.5 * seedOf(i));
    // The first step of Adam is as long as the learning rate, whatever the gradient.
    expectAt("Adam", await adaptive[0].data(), (i) => value(i) - 0.5 * Math.sign(seedOf(i)), 1e-4);
    for (const t of [...optimisers, ...plain, ...adaptive, gradient]) t.dispose();
  });

  test("depthwise convolution", async () => {
    const weight = () => pattern([many, 1, 1], (i) => 1 + (i % 3));
    const [y, dx, dw] = await both((x, w) => vx.conv(x, w, undefined, { groups: many }), pattern([1, many, 2]), weight());
    expectAt("forward", y, (i) => value(i) * (1 + ((i >> 1) % 3)));
    expectAt("input gradient", dx, (i) => seedOf(i) * (1 + ((i >> 1) % 3)));
    expectAt("weight gradient", dw, (c) => value(2 * c) * seedOf(2 * c) + value(2 * c + 1) * seedOf(2 * c + 1));
  });
});

describe("few workgroups per dimension", async () => {
  const folding: Device = await openDevice();
  let few = 1;
  const limits = new Proxy(folding.gpu.limits, {
    get: (target, key) => (key === "maxComputeWorkgroupsPerDimension" ? few : Reflect.get(target, key, target)),
  });
  Object.defineProperty(folding.gpu, "limits", { value: limits });
  afterAll(() => folding.close());
  /** Kernels that were folded. */
  const folded = new Set<string>();
  const dispatch = folding.run.bind(folding);
  folding.run = (call: KernelCall) => {
    if (call.workgroups[1] > 1) folded.add(call.program.key.split(" ")[0]);
    dispatch(call);
  };

  const bytes = (s: Sample<any>) => bytesOf(...Object.values(s.inputs).map((i) => i.shape));
  const named = [...new Set(allRows.map((row) => row.name))];

  test.each(named)("%s", async (name) => {
    const samples = allRows.filter((row) => row.name === name).flatMap((row) => row.samples.map((sample) => ({ row, sample })));
    const usable = samples.filter(({ sample }) => bytes(sample) < 2 ** 18).sort((a, b) => bytes(b.sample) - bytes(a.sample));
    for (const { row, sample } of usable.slice(0, 3)) {
      most = 0;
      const expected = await sampleResults(row, sample, gpu);
      few = Math.max(1, Math.ceil(Math.sqrt(most)));
      const values = await sampleResults(row, sample, folding);
      for (const [what, bits] of Object.entries(values)) expectSameBits(`${sample.id}: ${what}`, bits, expected[what]);
    }
  });

  test("kernels of all kinds were folded", () => {
    const kinds =
      "pointwise.unary pointwise.binary reduce.columns norm.forward region.gradient resample.apply pool.max pool.take";
    expect([...folded]).toEqual(expect.arrayContaining([...kinds.split(" "), "pad.forward", "view.gather", "indexing.take"]));
    if (gpu.software) expect([...folded]).toEqual(expect.arrayContaining(["conv.gather", "reduce.lanes", "region.sums"]));
  });
});
