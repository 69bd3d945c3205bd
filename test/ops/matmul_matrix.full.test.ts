/**
 * @file The matrix product for matrix units agrees with the plain one of the same f16 values, forward and in both gradients. Few software adapters have subgroup matrices: lavapipe
 * of Mesa 26, of 8 x 8 x 8. What GPUs make of it is compiled for bench/results/isa.md.
 */

import { describe, expect, test } from "vitest";
import * as vx from "../../src/index.ts";
import { type Device, type MatmulOptions, openDevice, type Tensor } from "../../src/index.ts";
import { matmulShape, takesHalf } from "../../src/kernels/matmul.ts";
import { matricesOf } from "../../src/kernels/lib/matrices.ts";
import { expectClose, readAll } from "../lib/compare.ts";
import { normal, seeded } from "../lib/row.ts";

const device: Device = await openDevice({ toggles: ["enable-dawn-features=allow_unsafe_apis"] });

type Case = readonly [name: string, a: readonly number[], b: readonly number[], options: MatmulOptions];

const cases: readonly Case[] = [
  ["whole tiles", [64, 64], [64, 64], {}],
  ["odd sizes", [33, 41], [41, 67], {}],
  ["even sizes, terms of no whole step", [34, 42], [42, 66], {}],
  ["both transposed", [42, 34], [66, 42], { transposeA: true, transposeB: true }],
  ["transposed, odd", [41, 33], [67, 41], { transposeA: true, transposeB: true }],
  ["whole eights, terms of no whole step", [40, 72], [72, 56], {}],
  ["the same transposed", [72, 40], [56, 72], { transposeA: true, transposeB: true }],
  ["batches, one side packed", [2, 24, 40], [2, 40, 33], {}],
  ["batch of one side", [3, 20, 24], [24, 18], {}],
  ["broadcast batches", [2, 1, 12, 16], [3, 16, 10], {}],
  ["many terms: slabs", [16, 5000], [5000, 24], {}],
  ["large tiles", [1500, 40], [40, 1540], {}],
];

async function run([, as, bs, options]: Case, halves: "both" | "left", plain: boolean) {
  const random = seeded("matmul matrix");
  const rounded = (shape: readonly number[], salt: number) => {
    const data = Float32Array.from({ length: vx.sizeOf(shape) }, (_, i) => normal(random, 7 * i + salt));
    return device.tensor({ data, shape });
  };
  const results = vx.scope((): Record<string, Tensor> => {
    const leaves = [rounded(as, 1), rounded(bs, 2)];
    const [a, b] = leaves.map((t) => vx.float32(vx.cast(t, "f16")));
    for (const t of [a, b]) t.requiresGrad = true;
    const [left, right] = plain ? [a, b] : [vx.cast(a, "f16"), halves === "both" ? vx.cast(b, "f16") : b];
    const y = vx.matmul(left, right, options);
    const dy = vx.float32(vx.cast(rounded(y.shape, 3), "f16"));
    const [da, db] = vx.grad(vx.sum(vx.mul(y, dy)), [a, b]);
    return { y, da, db };
  });
  expect(results.y.dtype).toBe("f32");
  const values = await readAll(results);
  for (const t of Object.values(results)) t.dispose();
  return values;
}

describe.skipIf(!matricesOf(device))("matmul matrix", () => {
  test.each(cases)("%s", async (...given) => {
    const [name, a, b, options] = given;
    expect(takesHalf(device, matmulShape("matmul", a, b, options))).toBe(true);
    const plain = await run(given, "both", true);
    for (const halves of ["both", "left"] as const) {
      const matrix = await run(given, halves, false);
      // Gradients of an f16 operand are rounded to f16.
      for (const key of ["y", "da", "db"])
        expectClose(`${key} ${name} ${halves}`, matrix[key], plain[key], key === "y" ? 2e-6 : 1e-3);
    }
  });

  test("operands over the binding limit go in blocks", async () => {
    const given: Case = ["blocks", [200, 96], [96, 136], {}];
    const plain = await run(given, "both", true);
    const { maxBindingSize } = device;
    Object.assign(device, { maxBindingSize: 2 ** 14 });
    try {
      const matrix = await run(given, "both", false);
      for (const key of ["y", "da", "db"]) expectClose(key, matrix[key], plain[key], key === "y" ? 2e-6 : 1e-3);
    } finally {
      Object.assign(device, { maxBindingSize });
    }
  });

  test("a linear layer under f16 keeps a gradient of its weight in f32", async () => {
    const [x, weight] = [
      [40, 24],
      [16, 24],
    ].map((shape, k) =>
      device.tensor({ data: Float32Array.from({ length: vx.sizeOf(shape) }, (_, i) => Math.sin(i + k)), shape }),
    );
    weight.requiresGrad = true;
    const y = vx.linear(vx.cast(x, "f16"), weight);
    const [dw] = vx.grad(vx.sum(y), [weight]);
    expect(dw.dtype).toBe("f32");
    const values = await readAll({ dw });
    const half = await readAll({ x: vx.float32(vx.cast(x, "f16")) });
    const expected = Float32Array.from({ length: 16 * 24 }, (_, i) => {
      let sum = 0;
      for (let n = 0; n < 40; n++) sum += half.x[n * 24 + (i % 24)];
      return sum;
    });
    expectClose("dw", values.dw, expected, 2e-6);
  });
});
