/** @file More workgroups than one dimension of a dispatch may have, 65,535, in full size. Over the op table in small: folded.full.test.ts. */

import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import * as vx from "../../src/index.ts";
import { scope } from "../../src/index.ts";
import { reduceSum } from "../../src/kernels/reduce.ts";
import { Adam, SGD } from "../../src/nn/index.ts";
import { asOnHardware, both, expectAt, gpu, many, odd, pattern, seedOf, unwatch, value, watch } from "./many_workgroups.ts";

// Batches of 128³ patches have this many lines, e.g. four of one channel.
test("augmentation of more lines, and samples, than that: the first and the last are what they are alone", async () => {
  const samples = 65_537;
  const shape = [samples, 1, 4];
  const same = (width: number, of: (i: number) => number) => pattern([samples, 1, width], (i) => of(i % width));
  const image = () => pattern(shape, (i) => [3, -1, 4, 2][i % 4] + (Math.floor(i / 4) === samples - 1 ? 1 : 0));
  const alone = (first: number) => pattern([1, 1, 4], (i) => [3, -1, 4, 2][i % 4] + first);
  const numbers = [2, 1, 0.5, 1.5, 0, 0, 0];
  const ops: Record<string, (x: vx.Tensor, n: number) => vx.Tensor> = {
    blur: (x, n) => vx.blur(x, pattern([n, 1], () => 1), 3), // prettier-ignore
    lowResolution: (x, n) => vx.lowResolution(x, pattern([n, 1], () => 0.5)), // prettier-ignore
    splineField: (x) => vx.splineField(x, [6]),
    warp: (x, n) => vx.warp(x, pattern([n, 1, 2], (i) => [-1, 3][i % 2])), // prettier-ignore
    adjustIntensity: (x, n) =>
      vx.adjustIntensity(
        x,
        n === 1 ? pattern([1, 1, 7], (i) => numbers[i]) : same(7, (i) => numbers[i]),
        n === 1 ? pattern([1, 1, 3], (i) => [2, -1, 4][i]) : same(3, (i) => [2, -1, 4][i]),
      ),
  };
  for (const [name, op] of Object.entries(ops)) {
    const run = async (make: () => vx.Tensor, n: number) => (await scope(() => op(make(), n)).data()) as Float32Array;
    const all = await run(image, samples);
    const width = all.length / samples;
    expect(all.subarray(0, width), name).toEqual(await run(() => alone(0), 1));
    expect(all.subarray(-width), name).toEqual(await run(() => alone(1), 1));
  }
});

describe("more than 65,535 workgroups", () => {
  beforeEach(watch);
  afterEach(unwatch);
  afterAll(() => gpu.pool.trim());

  test("broadcast", async () => {
    const columns = (odd - 1) / 2;
    const factors = pattern([2, 1], (i) => i + 2);
    const [y, da, db] = await asOnHardware(() => both(vx.mul, pattern([2, columns]), factors));
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

  test("a step of optimizers on a large flat buffer", async () => {
    // Four elements at a time.
    const parameters = () => [vx.parameter(pattern([4 * odd]))];
    const gradient = pattern([4 * odd], seedOf);
    const [plain, adaptive] = [parameters(), parameters()];
    const optimizers = [new SGD(plain, { lr: 0.5 }), new Adam(adaptive, { lr: 0.5 })];
    asOnHardware(() => optimizers.forEach((optimizer) => optimizer.step([gradient])));
    expectAt("SGD", await plain[0].data(), (i) => value(i) - 0.5 * seedOf(i));
    // The first step of Adam is as long as the learning rate, whatever the gradient.
    expectAt("Adam", await adaptive[0].data(), (i) => value(i) - 0.5 * Math.sign(seedOf(i)), 1e-4);
    for (const t of [...optimizers, ...plain, ...adaptive, gradient]) t.dispose();
  });

  test("depthwise convolution", async () => {
    const weight = () => pattern([many, 1, 1], (i) => 1 + (i % 3));
    const [y, dx, dw] = await both((x, w) => vx.conv(x, w, undefined, { groups: many }), pattern([1, many, 2]), weight());
    expectAt("forward", y, (i) => value(i) * (1 + ((i >> 1) % 3)));
    expectAt("input gradient", dx, (i) => seedOf(i) * (1 + ((i >> 1) % 3)));
    expectAt("weight gradient", dw, (c) => value(2 * c) * seedOf(2 * c) + value(2 * c + 1) * seedOf(2 * c + 1));
  });
});
