/** @file The matrix product that hands values around in subgroups gives what the plain one gives. */

import { describe, test } from "vitest";
import * as vx from "../../src/index.ts";
import { hasLanes } from "../../src/kernels/lib/subgroups.ts";
import { matmul, type MatmulOptions, matmulShape } from "../../src/kernels/matmul.ts";
import { expectClose, readAll } from "../lib/compare.ts";
import { device as open } from "../lib/device.ts";
import { normal, seeded } from "../lib/row.ts";

const device = await open();

type Case = readonly [name: string, a: readonly number[], b: readonly number[], options: MatmulOptions];

const cases: readonly Case[] = [
  ["whole tiles", [64, 64], [64, 128], {}],
  ["odd sizes and blocks", [45, 300], [300, 71], {}],
  ["transposed a", [37, 33], [37, 66], { transposeA: true }],
  ["transposed b, more than a workgroup of columns", [33, 40], [300, 40], { transposeB: true }],
  ["slabs", [20, 9000], [9000, 70], {}],
  ["broadcast batch", [3, 1, 17, 12], [2, 12, 65], {}],
  ["one row, one column", [1, 5], [5, 1], {}],
];

describe.skipIf(!hasLanes(device))("matmul lanes", () => {
  test.each(cases)("%s", async (_, aShape, bShape, options) => {
    const random = seeded("lanes");
    const tensor = (shape: readonly number[]) =>
      device.tensor({ data: Float32Array.from({ length: vx.sizeOf(shape) }, (_, i) => normal(random, i)), shape });
    const g = matmulShape("matmul", aShape, bShape, options);
    const [a, b, bias] = [tensor(aShape), tensor(bShape), tensor([g.columns])];
    const run = (variant: "lanes" | "registers") => matmul("matmul", a, b, bias, g, variant);
    const { lanes, registers } = await readAll({ lanes: run("lanes"), registers: run("registers") });
    expectClose("product", lanes, registers, 2e-6);
  });
});
