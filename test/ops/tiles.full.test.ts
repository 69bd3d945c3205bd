/** @file What only the tiles through shared memory of hardware do with nothing to add, and with very many products: as the direct kernels do. */

import { afterEach, describe, expect, test } from "vitest";
import * as vx from "../../src/index.ts";
import { matmul, matmulShape } from "../../src/kernels/matmul.ts";
import { expectClose, readAll } from "../lib/compare.ts";
import { device as open } from "../lib/device.ts";

const device = await open();
afterEach(() => device.choices.clear());

const tensor = (shape: readonly number[], value: (i: number) => number = (i) => Math.sin(i * 0.37)) =>
  device.tensor({ data: Float32Array.from({ length: vx.sizeOf(shape) }, (_, i) => value(i)), shape });

async function both(make: () => Record<string, vx.Tensor>, variants = ["direct 4x4", "tile 64x64"]) {
  const results = [];
  for (const variant of variants) {
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

// 14,640 positions: slabs of several blocks.
test.each(["weights 32x32", "weights 64x64"])("a weight gradient of many positions, %s", async (tile) => {
  const layer = () => {
    const [x, weight] = [tensor([4, 20, 60, 61]), tensor([37, 20, 3, 3])];
    weight.requiresGrad = true;
    const y = vx.conv(x, weight, undefined, { padding: 1 });
    return {
      dw: vx.grad(
        vx.sum(
          vx.mul(
            y,
            tensor(y.shape, (i) => Math.cos(i * i)),
          ),
        ),
        [weight],
      )[0],
    };
  };
  const [direct, tiled] = await both(layer, ["direct", tile]);
  expectClose("dw", tiled.dw, direct.dw, 4e-6);
});

test("a matrix product of no terms", async () => {
  const [a, b, bias] = [tensor([3, 0]), tensor([0, 5]), tensor([5])];
  const y = matmul("matmul", a, b, bias, matmulShape("matmul", a.shape, b.shape, {}), "tile 64x64");
  const row = [...(await bias.data())];
  expect([...(await y.data())]).toEqual([...row, ...row, ...row]);
});

// 2,048 channels of 9 taps are 144 blocks: 64, 64 and 16 of them are added in the result.
describe("18,432 products", () => {
  const layer = (x: vx.Tensor, weight: vx.Tensor) =>
    vx.float32(
      vx.conv(
        x,
        weight,
        tensor([5], (i) => i - 2),
        { padding: 1 },
      ),
    );

  test("of any sign, with a bias", async () => {
    const [direct, tile] = await both(() => ({ y: layer(tensor([2, 2048, 3, 5]), tensor([5, 2048, 3, 3])) }));
    expectClose("y", tile.y, direct.y, 4e-6);
  });

  test("all alike", async () => {
    device.choices.set("conv", "tile 64x64");
    const y = await vx
      .scope(() =>
        layer(
          tensor([1, 2048, 3, 3], () => 0.1),
          tensor([5, 2048, 3, 3], () => 1),
        ),
      )
      .data();
    for (let c = 0; c < 5; c++) {
      const wanted = 18_432 * Math.fround(0.1) + c - 2;
      expect(Math.abs(y[9 * c + 4] - wanted)).toBeLessThan(2e-6 * wanted);
    }
  });

  test.runIf(device.gpu.features.has("shader-f16"))("of f16", async () => {
    const [direct, tile] = await both(() => ({
      y: layer(vx.cast(tensor([2, 2048, 3, 5]), "f16"), tensor([5, 2048, 3, 3])),
    }));
    expectClose("y", tile.y, direct.y, 1e-3);
  });
});
