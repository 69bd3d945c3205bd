/** @file What only the tiles through shared memory of hardware do with nothing to add: as the direct kernels do. */

import { afterEach, expect, test } from "vitest";
import * as vx from "../../src/index.ts";
import { matmul, matmulShape } from "../../src/kernels/matmul.ts";
import { expectClose, readAll } from "../lib/compare.ts";
import { device as open } from "../lib/device.ts";

const device = await open();
afterEach(() => device.choices.clear());

const tensor = (shape: readonly number[], value: (i: number) => number = (i) => Math.sin(i * 0.37)) =>
  device.tensor({ data: Float32Array.from({ length: vx.sizeOf(shape) }, (_, i) => value(i)), shape });

async function both(make: () => Record<string, vx.Tensor>) {
  const results = [];
  for (const variant of ["direct 4x4", "tile 64x64"]) {
    device.choices.set("conv", variant);
    results.push(await readAll(vx.scope(make)));
  }
  return results;
}

test("phases of a transposed convolution that no tap reaches", async () => {
  const [direct, tile] = await both(() => {
    const x = tensor([1, 8, 9, 7]);
    x.requiresGrad = true;
    const y = vx.conv(x, tensor([8, 8, 1, 1]), undefined, { stride: 2 });
    const [dx] = vx.grad(vx.sum(vx.mul(y, tensor(y.shape))), [x]);
    return { dx, bias: vx.convTranspose(tensor([2, 8, 5, 4]), tensor([8, 8, 1, 1]), tensor([8]), { stride: 3 }) };
  });
  for (const [name, values] of Object.entries(direct)) expectClose(name, tile[name], values, 2e-6);
});

test("a matrix product of no terms", async () => {
  const [a, b, bias] = [tensor([3, 0]), tensor([0, 5]), tensor([5])];
  const y = matmul("matmul", a, b, bias, matmulShape("matmul", a.shape, b.shape, {}), "tile 64x64");
  const row = [...(await bias.data())];
  expect([...(await y.data())]).toEqual([...row, ...row, ...row]);
});
