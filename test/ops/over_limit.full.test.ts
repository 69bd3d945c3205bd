/**
 * @file Tensors of 144 MiB, over the 128 MiB that many adapters bind at most: forward and gradient in windows all over them against float64 on the
 * host. Peers give zeros or wrong values here without a word (bench/results). In small, over the whole op table: pieces.full.test.ts.
 */

import { afterAll, describe, expect, test } from "vitest";
import { backpropagate } from "../../src/autograd/tape.ts";
import { crossEntropyLoss } from "../../src/autograd/cross_entropy.ts";
import * as vx from "../../src/index.ts";
import { type Device, TensorTooLargeError } from "../../src/index.ts";
import { Tensor } from "../../src/tensor/tensor.ts";

// Where the adapter binds more, the same limit is set by hand.
const device: Device = await vx.openDevice({ maxBindingSize: 2 ** 27 });
afterAll(() => device.close());

const shape = [1, 9, 2048, 2048] as const;
const plane = 2048 * 2048;
const count = 9 * plane;

/** Uniform in [-0.5, 0.5): a hash of the position, so that float64 references can find any element. */
function noise(n: number, seed: number): Float32Array<ArrayBuffer> {
  const list = new Float32Array(n);
  for (let i = 0; i < n; i++) {
    let h = Math.imul(i + seed, 0x9e3779b1);
    h = Math.imul(h ^ (h >>> 15), 0x85ebca6b);
    list[i] = ((h ^ (h >>> 13)) >>> 0) / 2 ** 32 - 0.5;
  }
  return list;
}

const values = noise(count, 1);
const seed = noise(count, 7);
// Uploads of this size cost more than most operations: these two are shared.
const x = device.tensor({ data: values, shape });
const dy = device.tensor({ data: seed, shape });
x.requiresGrad = true;

/** Result and input gradient of Σ f(input) · dy. */
function run(f: (x: Tensor) => Tensor, input = x, seeds = dy): [Tensor, Tensor] {
  return vx.scope(() => {
    const y = f(input);
    const [dx] = vx.noGrad(() => backpropagate(y, seeds.view(y.shape), [input]));
    return [y, dx!];
  });
}

const width = 64;

/** Checks windows at both ends, on both sides of the limit and in between, and frees the tensor. */
async function expectWindows(t: Tensor, expected: (i: number) => number, tolerance: number): Promise<void> {
  const even = Array.from({ length: 40 }, (_, k) => Math.floor((k * (t.size - width)) / 39));
  const starts = [...even, ...[2 ** 25 - width, 2 ** 25].filter((start) => start + width <= t.size)];
  const windows = starts.map((start) => new Tensor(device, t.storage.retain(), [width], "f32", t.byteOffset + 4 * start));
  const read = await Promise.all(windows.map((w) => w.data()));
  for (const w of [...windows, t]) w.dispose();
  expect(read.some((list) => list.some((v) => v !== 0))).toBe(true);
  read.forEach((list, k) =>
    list.forEach((v, j) => {
      const wanted = expected(starts[k] + j);
      if (Math.abs(v - wanted) <= tolerance * Math.max(1, Math.abs(wanted))) return;
      throw new Error(`element ${starts[k] + j} is ${v}, expected ${wanted}`);
    }),
  );
}

describe("144 MiB", () => {
  test("pointwise, with a number, a tensor and a broadcast", async () => {
    const channels = device.tensor({ data: [1, -2, 3, -4, 5, -6, 7, -8, 9], shape: [9, 1, 1] });
    const [y, dx] = run((x) => vx.add(vx.mul(vx.tanh(x), channels), 0.25));
    const c = (i: number) => (Math.floor(i / plane) + 1) * (Math.floor(i / plane) % 2 === 0 ? 1 : -1);
    await expectWindows(y, (i) => Math.tanh(values[i]) * c(i) + 0.25, 1e-5);
    await expectWindows(dx, (i) => seed[i] * c(i) * (1 - Math.tanh(values[i]) ** 2), 1e-5);
    channels.dispose();
  });

  test("sums, variance and extremes with their gradients", async () => {
    const totals = new Array<number>(9).fill(0);
    let square = 0;
    for (let i = 0; i < count; i++) {
      totals[Math.floor(i / plane)] += values[i];
      square += values[i] ** 2;
    }
    const mean = totals.reduce((a, b) => a + b, 0) / count;
    const [all, each, spread, top, dx] = vx.scope(() => {
      const [all, each, spread, top] = [vx.mean(x), vx.sum(x, [0, 2, 3]), vx.variance(x), vx.amax(x, 1)];
      const loss = vx.add(vx.mul(spread, count), vx.sum(top));
      return [all, each, spread, top, ...vx.grad(loss, [x])];
    });
    expect(await all.item()).toBeCloseTo(mean, 9);
    expect(await spread.item()).toBeCloseTo((square - count * mean ** 2) / (count - 1), 7);
    (await each.data()).forEach((v, c) => expect(v / totals[c]).toBeCloseTo(1, 5));
    for (const t of [all, each, spread]) t.dispose();
    const best = (i: number) => {
      let v = -1;
      for (let c = 0; c < 9; c++) v = Math.max(v, values[c * plane + (i % plane)]);
      return v;
    };
    await expectWindows(top, best, 0);
    await expectWindows(dx, (i) => (2 * count * (values[i] - mean)) / (count - 1) + Number(values[i] === best(i)), 1e-5);
  });

  test("instance norm", async () => {
    const [y, dx] = run((x) => vx.instanceNorm(x));
    const stats = Array.from({ length: 9 }, (_, c) => {
      let [sum, squares, u, uv] = [0, 0, 0, 0];
      for (let i = c * plane; i < (c + 1) * plane; i++) {
        sum += values[i];
        squares += values[i] ** 2;
        u += seed[i];
        uv += seed[i] * values[i];
      }
      const mean = sum / plane;
      const scale = 1 / Math.sqrt(squares / plane - mean ** 2 + 1e-5);
      return { mean, scale, u: u / plane, uh: (scale * (uv - mean * u)) / plane };
    });
    const of = (i: number) => stats[Math.floor(i / plane)];
    const h = (i: number) => (values[i] - of(i).mean) * of(i).scale;
    await expectWindows(y, h, 1e-5);
    await expectWindows(dx, (i) => of(i).scale * (seed[i] - of(i).u - h(i) * of(i).uh), 1e-5);
  });

  test("convolution and its three gradients", async () => {
    const taps = noise(9 * 9 * 3, 3);
    const weight = vx.parameter(device.tensor({ data: taps, shape: [9, 9, 1, 3] }));
    const bias = vx.parameter(device.tensor({ data: noise(9, 4), shape: [9] }));
    const [y, dx, dw, db] = vx.scope(() => {
      const y = vx.conv(x, weight, bias, { padding: [0, 1] });
      return [y, ...vx.noGrad(() => backpropagate(y, dy.view(shape), [x, weight, bias]).map((g) => g!))];
    });
    const at = (list: Float32Array, c: number, i: number, shift: number) => {
      const column = (i % 2048) + shift;
      return column < 0 || column > 2047 ? 0 : list[c * plane + (i % plane) + shift];
    };
    const around = (i: number, list: Float32Array, weightOf: (c: number, o: number) => number, sign: 1 | -1) => {
      let sum = 0;
      for (let o = 0; o < 9; o++)
        for (let t = 0; t < 3; t++) sum += taps[weightOf(Math.floor(i / plane), o) * 3 + t] * at(list, o, i, sign * (t - 1));
      return sum;
    };
    const offsets = noise(9, 4);
    await expectWindows(y, (i) => around(i, values, (c, o) => c * 9 + o, 1) + offsets[Math.floor(i / plane)], 1e-5);
    await expectWindows(dx, (i) => around(i, seed, (c, o) => o * 9 + c, -1), 1e-5);
    const [weights, biases] = [await dw.data(), await db.data()];
    for (const k of [0, 100, 202, 242]) {
      const [a, b, t] = [Math.floor(k / 27), Math.floor(k / 3) % 9, k % 3];
      let [sum, total] = [0, 0];
      for (let i = 0; i < plane; i++) {
        sum += seed[a * plane + i] * at(values, b, i, t - 1);
        total += seed[a * plane + i];
      }
      // Four million terms of either sign add up to some 170: an error of 1e-5.
      expect(Math.abs(weights[k] - sum)).toBeLessThan(2e-3);
      expect(Math.abs(biases[a] - total)).toBeLessThan(2e-3);
    }
    for (const t of [dw, db, weight, bias]) t.dispose();
  });

  test("a single channel in slabs: convolution of a volume", async () => {
    const slice = 1024 * 1024;
    const weight = device.tensor({ data: [1, 10, -3], shape: [1, 1, 3, 1, 1] });
    const volume = x.view([1, 1, 36, 1024, 1024]);
    volume.requiresGrad = true;
    const [y, dx] = run((v) => vx.conv(v, weight, undefined, { padding: [1, 0, 0] }), volume);
    await expectWindows(y, (i) => (values[i - slice] ?? 0) + 10 * values[i] - 3 * (values[i + slice] ?? 0), 1e-5);
    await expectWindows(dx, (i) => (seed[i + slice] ?? 0) + 10 * seed[i] - 3 * (seed[i - slice] ?? 0), 1e-5);
    weight.dispose();
    volume.dispose();
  });

  // Index in planes of half the size.
  const halved = (i: number) =>
    Math.floor(i / plane) * (plane / 4) + ((Math.floor(i / 2048) % 2048) >> 1) * 1024 + ((i % 2048) >> 1);
  const corner = (i: number) => Math.floor(i / (plane / 4)) * plane + (Math.floor(i / 1024) % 1024) * 4096 + (i % 1024) * 2;
  const cell = [0, 1, 2048, 2049];

  test("max pooling and average pooling", async () => {
    const small = device.tensor({ data: seed.subarray(0, count / 4), shape: [1, 9, 1024, 1024] });
    const [y, dx] = run((x) => vx.maxPool(x, { kernelSize: 2 }), x, small);
    const best = (o: number) => cell.map((d) => corner(o) + d).reduce((a, b) => (values[b] > values[a] ? b : a));
    await expectWindows(y, (o) => values[best(o)], 0);
    await expectWindows(dx, (i) => (best(halved(i)) === i ? seed[halved(i)] : 0), 0);
    const [mean, dMean] = run((x) => vx.avgPool(x, { kernelSize: 2 }), x, small);
    await expectWindows(mean, (o) => cell.reduce((sum, d) => sum + values[corner(o) + d], 0) / 4, 1e-6);
    await expectWindows(dMean, (i) => seed[halved(i)] / 4, 1e-6);
    small.dispose();
  });

  test("upsampling", async () => {
    const small = device.tensor({ data: values.subarray(0, count / 4), shape: [1, 9, 1024, 1024] });
    small.requiresGrad = true;
    const [y, dx] = run((x) => vx.interpolate(x, { scaleFactor: 2 }), small);
    await expectWindows(y, (i) => values[halved(i)], 0);
    await expectWindows(dx, (o) => cell.reduce((sum, d) => sum + seed[corner(o) + d], 0), 1e-5);
    small.dispose();
  });

  test("losses of one sample", async () => {
    const labelOf = (s: number) => (s * 7) % 9;
    const labels = device.tensor(
      { data: Int32Array.from({ length: plane }, (_, s) => labelOf(s)), shape: [1, 1, 2048, 2048] },
      "i32",
    );
    const total = (s: number) => {
      let sum = 0;
      for (let c = 0; c < 9; c++) sum += Math.exp(values[c * plane + s]);
      return sum;
    };
    const totals = Float64Array.from({ length: plane }, (_, s) => total(s));
    const share = (i: number) => Math.exp(values[i]) / totals[i % plane];
    const [loss, dx, sums, y] = vx.scope(() => {
      const loss = crossEntropyLoss(x, labels.view([1, 2048, 2048]));
      const sums = vx.noGrad(() => vx.regionSums(x, labels, { activation: "softmax", indexTarget: true }));
      return [loss, ...vx.grad(loss, [x]), sums, vx.noGrad(() => vx.softmax(x))];
    });
    let mean = 0;
    const regions = Array.from({ length: 27 }, () => 0);
    for (let s = 0; s < plane; s++) {
      const label = labelOf(s);
      mean += (Math.log(totals[s]) - values[label * plane + s]) / plane;
      regions[label] += share(label * plane + s);
      regions[18 + label]++;
      for (let c = 0; c < 9; c++) regions[9 + c] += share(c * plane + s);
    }
    expect(await loss.item()).toBeCloseTo(mean, 5);
    (await sums.data()).forEach((v, k) => expect(v / regions[k]).toBeCloseTo(1, 5));
    for (const t of [loss, sums, labels]) t.dispose();
    await expectWindows(y, share, 1e-5);
    // The gradient is a mean's: relative to its largest value.
    const scaled = vx.mul(dx, plane);
    dx.dispose();
    await expectWindows(scaled, (i) => share(i) - Number(labelOf(i % plane) === Math.floor(i / plane)), 1e-5);
  });

  test("max pooling of one plane", async () => {
    const slice = 1024 * 1024;
    const half = device.tensor({ data: seed.subarray(0, count / 2), shape: [1, 1, 18, 1024, 1024] });
    const volume = x.view([1, 1, 36, 1024, 1024]);
    volume.requiresGrad = true;
    const [y, dx] = run((v) => vx.maxPool(v, { kernelSize: [2, 1, 1] }), volume, half);
    const pair = (o: number) => 2 * o - (o % slice);
    const best = (o: number) => (values[pair(o) + slice] > values[pair(o)] ? pair(o) + slice : pair(o));
    const of = (i: number) => Math.floor(i / (2 * slice)) * slice + (i % slice);
    await expectWindows(y, (o) => values[best(o)], 0);
    await expectWindows(dx, (i) => (best(of(i)) === i ? seed[of(i)] : 0), 0);
    half.dispose();
    volume.dispose();
  });

  test("a matrix product of two that are too large, and its gradient", async () => {
    const inner = count / 3;
    const [a, b] = [x.view([3, inner]), dy.view([inner, 3])];
    a.requiresGrad = true;
    const weights = [1, -2, 3, 4, 5, -6, 7, 8, 9];
    const seeds = device.tensor({ data: weights, shape: [9] });
    const [y, da] = run((a) => vx.matmul(a, b), a, seeds);
    const found = await y.data();
    for (let m = 0; m < 3; m++) {
      for (let n = 0; n < 3; n++) {
        let sum = 0;
        for (let k = 0; k < inner; k++) sum += values[m * inner + k] * seed[3 * k + n];
        // Twelve million terms of either sign add up to some 300.
        expect(Math.abs(found[3 * m + n] - sum)).toBeLessThan(2e-3);
      }
    }
    const row = (i: number) => [Math.floor(i / inner), i % inner];
    await expectWindows(da, (i) => [0, 1, 2].reduce((s, n) => s + weights[3 * row(i)[0] + n] * seed[3 * row(i)[1] + n], 0), 1e-5);
    for (const t of [y, a, b, seeds]) t.dispose();
  });

  test("what cannot be split says so and leaves nothing behind", () => {
    const line = x.view([count]);
    const before = device.memory.live;
    expect(() => vx.scope(() => void vx.argmax(line, 0))).toThrow(TensorTooLargeError);
    expect(() => vx.scope(() => void vx.argmax(line, 0))).toThrow(/maxStorageBufferBindingSize of 134217728 bytes: use smaller/);
    expect(() => device.empty([2 ** 16, 2 ** 16])).toThrow(TensorTooLargeError);
    expect(device.memory.live).toBe(before);
    line.dispose();
  });
});
