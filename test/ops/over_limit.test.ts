/**
 * @file Tensors of 144 MiB, over the 128 MiB that many adapters bind at most: forward and gradient at a sample of positions against float64 on the
 * host. Peers give zeros or wrong values here without a word. In small, over the whole op table: pieces.test.ts.
 */

import { afterEach, describe, expect, test } from "vitest";
import * as vx from "../../src/index.ts";
import { type Device, type Tensor, TensorTooLargeError } from "../../src/index.ts";

// Where the adapter binds more, the same limit is set by hand.
const device: Device = await vx.openDevice({ maxBindingSize: 2 ** 27 });
afterEach(() => device.pool.trim());

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

/** 500 positions over all pieces, the ends and the places around the limit among them. */
const positions = [
  0,
  count - 1,
  2 ** 25 - 1,
  2 ** 25,
  2 ** 25 + 1,
  ...Array.from({ length: 495 }, (_, i) => Math.floor((i * count) / 495)),
];

/** Result and input gradient of Σ f(x)·seed. */
async function run(
  f: (x: Tensor) => Tensor,
  host = values,
  size: readonly number[] = shape,
  dy = seed,
): Promise<[Float32Array, Float32Array]> {
  const [y, dx] = vx.scope(() => {
    const x = device.tensor({ data: host, shape: size });
    x.requiresGrad = true;
    const y = f(x);
    const weights = device.tensor({ data: dy.subarray(0, y.size), shape: y.shape });
    return [y, ...vx.grad(vx.sum(vx.mul(y, weights)), [x])];
  });
  const read = (await Promise.all([y.data(), dx.data()])) as [Float32Array, Float32Array];
  y.dispose();
  dx.dispose();
  return read;
}

function expectAt(
  list: Float32Array,
  expected: (i: number) => number,
  tolerance: number,
  at: readonly number[] = positions,
): void {
  expect(list.some((v) => v !== 0)).toBe(true);
  const wrong = at.filter(
    (i) => i < list.length && !(Math.abs(list[i] - expected(i)) <= tolerance * Math.max(1, Math.abs(expected(i)))),
  );
  const first = wrong[0];
  if (wrong.length > 0)
    throw new Error(`${wrong.length} of ${at.length} wrong, e.g. ${first}: ${list[first]}, expected ${expected(first)}`);
}

describe("144 MiB", () => {
  test("pointwise, with a number, a tensor and a broadcast", async () => {
    const channels = device.tensor({ data: [1, -2, 3, -4, 5, -6, 7, -8, 9], shape: [9, 1, 1] });
    const [y, dx] = await run((x) => vx.add(vx.mul(vx.tanh(x), channels), x));
    const c = (i: number) => (Math.floor(i / plane) + 1) * (Math.floor(i / plane) % 2 === 0 ? 1 : -1);
    expectAt(y, (i) => Math.tanh(values[i]) * c(i) + values[i], 1e-5);
    expectAt(dx, (i) => seed[i] * (c(i) * (1 - Math.tanh(values[i]) ** 2) + 1), 1e-5);
    channels.dispose();
  });

  test("sums, variance and extremes", async () => {
    const x = device.tensor({ data: values, shape });
    const totals = Array.from({ length: 9 }, (_, c) => values.subarray(c * plane, (c + 1) * plane).reduce((a, b) => a + b, 0));
    const mean = totals.reduce((a, b) => a + b, 0) / count;
    const [all, each, spread, top] = [vx.mean(x), vx.sum(x, [0, 2, 3]), vx.variance(x), vx.amax(x, 1)];
    expect(await all.item()).toBeCloseTo(mean, 9);
    const square = values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (count - 1);
    expect(await spread.item()).toBeCloseTo(square, 7);
    expectAt((await each.data()) as Float32Array, (c) => totals[c], 1e-4, [0, 1, 2, 3, 4, 5, 6, 7, 8]);
    const best = (i: number) => Math.max(...Array.from({ length: 9 }, (_, c) => values[c * plane + i]));
    expectAt((await top.data()) as Float32Array, best, 0);
    for (const t of [x, all, each, spread, top]) t.dispose();
  });

  test("instance norm", async () => {
    const [y, dx] = await run((x) => vx.instanceNorm(x));
    const stats = Array.from({ length: 9 }, (_, c) => {
      let [sum, squares, u, uh] = [0, 0, 0, 0];
      for (let i = c * plane; i < (c + 1) * plane; i++) sum += values[i];
      const mean = sum / plane;
      for (let i = c * plane; i < (c + 1) * plane; i++) squares += (values[i] - mean) ** 2;
      const scale = 1 / Math.sqrt(squares / plane + 1e-5);
      for (let i = c * plane; i < (c + 1) * plane; i++) {
        u += seed[i];
        uh += seed[i] * (values[i] - mean) * scale;
      }
      return { mean, scale, u: u / plane, uh: uh / plane };
    });
    const of = (i: number) => stats[Math.floor(i / plane)];
    const h = (i: number) => (values[i] - of(i).mean) * of(i).scale;
    expectAt(y, h, 1e-5);
    expectAt(dx, (i) => of(i).scale * (seed[i] - of(i).u - h(i) * of(i).uh), 1e-5);
  });

  test("convolution and its three gradients", async () => {
    const w = noise(9 * 9 * 9, 3);
    const weight = device.tensor({ data: w, shape: [9, 9, 3, 3] });
    weight.requiresGrad = true;
    const [y, dx, dw] = vx.scope(() => {
      const x = device.tensor({ data: values, shape });
      x.requiresGrad = true;
      const y = vx.conv(x, weight, undefined, { padding: 1 });
      return [y, ...vx.grad(vx.sum(vx.mul(y, device.tensor({ data: seed, shape }))), [x, weight])];
    });
    const at = (list: Float32Array, c: number, r: number, k: number) =>
      r >= 0 && r < 2048 && k >= 0 && k < 2048 ? list[c * plane + r * 2048 + k] : 0;
    const around = (i: number, list: Float32Array, of: (out: number, inner: number, t: number) => number, sign: 1 | -1) => {
      const [c, r, k] = [Math.floor(i / plane), Math.floor(i / 2048) % 2048, i % 2048];
      let sum = 0;
      for (let o = 0; o < 9; o++) {
        for (let t = 0; t < 9; t++)
          sum += of(c, o, t) * at(list, o, r + sign * (Math.floor(t / 3) - 1), k + sign * ((t % 3) - 1));
      }
      return sum;
    };
    expectAt((await y.data()) as Float32Array, (i) => around(i, values, (c, o, t) => w[(c * 9 + o) * 9 + t], 1), 1e-5);
    expectAt((await dx.data()) as Float32Array, (i) => around(i, seed, (c, o, t) => w[(o * 9 + c) * 9 + t], -1), 1e-5);
    const product = (i: number) => {
      const [a, b, t] = [Math.floor(i / 81), Math.floor(i / 9) % 9, i % 9];
      let sum = 0;
      for (let r = 0; r < 2048; r++) {
        for (let k = 0; k < 2048; k++)
          sum += seed[a * plane + r * 2048 + k] * at(values, b, r + Math.floor(t / 3) - 1, k + (t % 3) - 1);
      }
      return sum;
    };
    expectAt((await dw.data()) as Float32Array, product, 1e-3, [0, 100, 404, 728]); // sums of four million terms of either sign
    for (const t of [y, dx, dw, weight]) t.dispose();
  });

  test("a single channel in slabs: convolution of a volume", async () => {
    const size = [1, 1, 36, 1024, 1024] as const;
    const slice = 1024 * 1024;
    const weight = device.tensor({ data: [1, 10, -3], shape: [1, 1, 3, 1, 1] });
    const [y, dx] = await run((x) => vx.conv(x, weight, undefined, { padding: [1, 0, 0] }), values, size);
    expectAt(y, (i) => (values[i - slice] ?? 0) + 10 * values[i] - 3 * (values[i + slice] ?? 0), 1e-5);
    expectAt(dx, (i) => (seed[i + slice] ?? 0) + 10 * seed[i] - 3 * (seed[i - slice] ?? 0), 1e-5);
    weight.dispose();
  });

  test("max pooling and upsampling", async () => {
    const [, dx] = await run((x) => vx.maxPool(x, { kernelSize: 2 }));
    const corner = (i: number) => i - (i % 2) - (Math.floor(i / 2048) % 2) * 2048;
    const best = (i: number) => [0, 1, 2048, 2049].map((d) => corner(i) + d).reduce((a, b) => (values[b] > values[a] ? b : a));
    const pooled = (i: number) =>
      Math.floor(i / plane) * (plane / 4) + ((Math.floor(i / 2048) % 2048) >> 1) * 1024 + ((i % 2048) >> 1);
    expectAt(dx, (i) => (best(i) === i ? seed[pooled(i)] : 0), 0);
    const small = values.subarray(0, count / 4);
    const [y, ds] = await run((x) => vx.interpolate(x, { scaleFactor: 2 }), small, [1, 9, 1024, 1024]);
    expectAt(y, (i) => small[pooled(i)], 0);
    const sum = (i: number) => {
      const first = Math.floor(i / 2 ** 20) * plane + (Math.floor(i / 1024) % 1024) * 4096 + (i % 1024) * 2;
      return seed[first] + seed[first + 1] + seed[first + 2048] + seed[first + 2049];
    };
    expectAt(ds, sum, 1e-5);
  });

  test("what cannot be split says so and leaves nothing behind", () => {
    const before = device.memory.live;
    const x = device.empty([3, count / 3]);
    const y = device.empty([count / 3, 3]);
    expect(() => vx.matmul(x, y)).toThrow(TensorTooLargeError);
    expect(() => vx.matmul(x, y)).toThrow(/maxStorageBufferBindingSize of 134217728 bytes: use smaller/);
    x.dispose();
    y.dispose();
    expect(() => device.empty([2 ** 16, 2 ** 16])).toThrow(TensorTooLargeError);
    expect(device.memory.live).toBe(before);
  });
});
