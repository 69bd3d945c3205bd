/** @file Pointwise functions at zeros, infinities and NaN give what PyTorch gives, of two tensors and of a tensor and a number; quotients are rounded once. */

import { describe, expect, test } from "vitest";
import * as v from "../../src/index.ts";
import { device } from "../lib/device.ts";

const gpu = await device();
const list = async (t: v.Tensor) => Array.from((await t.data()) as Float32Array);
const tensor = (data: readonly number[]) => gpu.tensor({ data, shape: [data.length] });
const same = (got: readonly number[], wanted: readonly number[]) => {
  expect(got.length).toBe(wanted.length);
  got.forEach((y, i) => {
    const close = Object.is(y, wanted[i]) || (y !== 0 && Math.abs(y / wanted[i] - 1) < 1e-5);
    if (!close) throw new Error(`element ${i}: got ${Object.is(y, -0) ? "-0" : y}, expected ${wanted[i]}`);
  });
};

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;

describe("special values/comparisons", () => {
  const values = [nan, -inf, -1, -0, 0, 2, inf];
  const pairs = values.flatMap((a) => values.map((b) => [a, b] as const));
  test.each<[string, (a: v.Tensor, b: v.Tensor | number) => v.Tensor, (a: number, b: number) => boolean]>([
    ["eq", v.eq, (a, b) => a === b],
    ["ne", v.ne, (a, b) => a !== b],
    ["lt", v.lt, (a, b) => a < b],
    ["le", v.le, (a, b) => a <= b],
    ["gt", v.gt, (a, b) => a > b],
    ["ge", v.ge, (a, b) => a >= b],
  ])("special values/%s", async (_, f, holds) => {
    const truth = pairs.map(([a, b]) => Number(holds(a, b)));
    // 49 elements go one a thread, 48 four.
    for (const count of [49, 48]) {
      const [a, b] = [0, 1].map((k) => tensor(pairs.slice(0, count).map((pair) => pair[k])));
      expect(await list(f(a, b))).toEqual(truth.slice(0, count));
    }
    for (const b of values) expect(await list(f(tensor(values), b))).toEqual(values.map((a) => Number(holds(a, b))));
  });

  test("special values/maximum, minimum, clamp and where keep NaN", async () => {
    for (const f of [v.maximum, v.minimum]) {
      expect(await list(f(tensor([nan, 1, nan, 1]), tensor([1, nan, nan, 1])))).toEqual([nan, nan, nan, 1]);
      expect(await list(f(tensor([nan, 1]), nan))).toEqual([nan, nan]);
      expect(await list(f(tensor([nan, 3]), 3))).toEqual([nan, 3]);
    }
    expect(await list(v.clamp(tensor([nan, -inf, inf, 5]), -2, 2))).toEqual([nan, -2, 2, 2]);
    expect(await list(v.clamp(tensor([nan, -2, 0, 2]), 1, -1))).toEqual([nan, -1, -1, -1]);
    expect(await list(v.where(tensor([1, 0, nan, -0]), tensor([nan, nan, 7, 7]), tensor([8, 8, nan, nan])))).toEqual([
      nan,
      8,
      7,
      nan,
    ]);
  });
});

describe("special values/division", () => {
  test("special values/a number divides, once rounded", async () => {
    const whole = Array.from({ length: 2000 }, (_, i) => i + 1);
    for (const n of [41, 47, 49, 55, 61, 82, 83, 8191]) {
      const multiples = whole.map((k) => k * n);
      expect(await list(v.floor(v.div(tensor(multiples), n)))).toEqual(whole);
      expect(await list(v.floor(v.div(tensor(multiples), tensor([n]))))).toEqual(whole);
    }
    const data = whole.map((k) => Math.fround(Math.sin(k)));
    for (const n of [3, 0.1, 7e-5, 12345.678])
      expect(await list(v.div(tensor(data), n))).toEqual(data.map((x) => Math.fround(x / Math.fround(n))));
  });

  test("special values/quotients of zeros and infinities", async () => {
    same(await list(v.div(tensor([1, -1, 0, inf, 1, nan, -0, inf]), 0)), [inf, -inf, nan, inf, inf, nan, nan, inf]);
    same(await list(v.div(tensor([1, -1, inf, 0]), inf)), [0, -0, nan, 0]);
    same(await list(v.div(tensor([3e38, 1e-30]), tensor([0.1, 1e20]))), [inf, 0]);
  });

  test("special values/a mean is the sum divided by the count, and so is its gradient", async () => {
    for (const n of [3, 41, 49, 1000, 12_345]) {
      const x = tensor(new Array<number>(n).fill(1));
      x.requiresGrad = true;
      const y = v.mean(x);
      expect(await y.item()).toBe(1);
      expect((await list(v.grad(y, [x])[0]))[0]).toBe(Math.fround(1 / n));
    }
  });
});

// PyTorch 2's torch.pow on float32, from C's pow.
const powers: readonly (readonly [number, number, number])[] = [
  [0, -0.5, inf],
  [0, -16, inf],
  [0, -3, inf],
  [-0, -3, -inf],
  [-0, -17, -inf],
  [-0, -4, inf],
  [-0, -0.5, inf],
  [0, 0.5, 0],
  [-0, 3, -0],
  [-0, 17, -0],
  [-0, 4, 0],
  [0, 0, 1],
  [nan, 0, 1],
  [inf, 0, 1],
  [-inf, -0, 1],
  [1, nan, 1],
  [1, inf, 1],
  [-1, inf, 1],
  [-1, -inf, 1],
  [2, nan, nan],
  [nan, 2, nan],
  [nan, 2.5, nan],
  [2, inf, inf],
  [2, -inf, 0],
  [0.5, inf, 0],
  [0.5, -inf, inf],
  [-2, inf, inf],
  [-0.5, -inf, inf],
  [0, inf, 0],
  [0, -inf, inf],
  [inf, 2, inf],
  [inf, 0.5, inf],
  [inf, -2, 0],
  [inf, -0.5, 0],
  [inf, inf, inf],
  [inf, -inf, 0],
  [-inf, 3, -inf],
  [-inf, 2, inf],
  [-inf, 0.5, inf],
  [-inf, -3, -0],
  [-inf, -2, 0],
  [-inf, 17, -inf],
  [-2, 3, -8],
  [-2, -3, -0.125],
  [-2, 17, -131072],
  [-1, 21, -1],
  [-3, 2, 9],
  [-8, 1 / 3, nan],
  [-2, 0.5, nan],
  [-2, -1.5, nan],
  [1e-30, -2, inf],
  [1e30, 2, inf],
  [4, 0.5, 2],
];

describe("special values/pow", () => {
  test("special values/pow of two tensors", async () => {
    for (const count of [powers.length - (powers.length % 4), powers.length - (powers.length % 4) - 1]) {
      const some = powers.slice(-count);
      const [a, b] = [0, 1].map((k) => tensor(some.map((row) => row[k])));
      same(
        await list(v.pow(a, b)),
        some.map((row) => row[2]),
      );
    }
  });

  test("special values/pow with a number", async () => {
    for (const [a, b, y] of powers) same(await list(v.pow(tensor([a]), b)), [y]);
  });

  // v·uᵛ⁻¹, 0 for v = 0; uᵛ·log u, 0 for u = 0 and v ≥ 0.
  test.each([
    [0, -0.5, -inf, -inf],
    [0, -16, -inf, -inf],
    [0, 0.5, inf, 0],
    [0, 1, 1, 0],
    [0, 2, 0, 0],
    [0, 0, 0, 0],
    [nan, 0, 0, nan],
    [inf, 2, inf, inf],
    [-2, 3, 12, nan],
    [-2, 0.5, nan, nan],
    [2, 3, 12, 8 * Math.LN2],
  ])("special values/gradients of pow(%d, %d)", async (u, w, du, dw) => {
    const [a, b] = [tensor([u]), tensor([w])];
    a.requiresGrad = b.requiresGrad = true;
    const [da, db] = v.grad(v.sum(v.pow(a, b)), [a, b]);
    same(await list(da), [du]);
    same(await list(db), [dw]);
    const [dn] = v.grad(v.sum(v.pow(a, w)), [a]);
    same(await list(dn), [du]);
  });
});

describe("special values/functions of one tensor", () => {
  const x = [0, -0, -1, inf, -inf, nan, 4, 0.25];
  test.each<[string, (t: v.Tensor) => v.Tensor, number[], number[]]>([
    ["log", v.log, [-inf, -inf, nan, inf, nan, nan, Math.log(4), Math.log(0.25)], [inf, -inf, -1, 0, -0, nan, 0.25, 4]],
    ["sqrt", v.sqrt, [0, -0, nan, inf, nan, nan, 2, 0.5], [inf, -inf, nan, 0, nan, nan, 0.25, 1]],
    ["rsqrt", v.rsqrt, [inf, -inf, nan, 0, nan, nan, 0.5, 2], [-inf, inf, nan, -0, nan, nan, -0.0625, -4]],
    ["reciprocal", v.reciprocal, [inf, -inf, -1, 0, -0, nan, 0.25, 4], [-inf, -inf, -1, -0, -0, nan, -0.0625, -16]],
  ])("special values/%s and its gradient", async (_, f, values, slopes) => {
    for (const count of [8, 7]) {
      const t = tensor(x.slice(0, count));
      t.requiresGrad = true;
      const y = f(t);
      same(await list(y), values.slice(0, count));
      same(await list(v.grad(v.sum(y), [t])[0]), slopes.slice(0, count));
    }
  });
});
