/** @file Pooling and upsampling layers: each is its function, also inside a network. */

import { expect, test } from "vitest";
import { adaptiveAvgPool, avgPool, interpolate, maxPool, pixelShuffle, scope, type Tensor } from "../../../src/index.ts";
import { AdaptiveAvgPool, AvgPool, MaxPool, type Module, PixelShuffle, Sequential, Upsample } from "../../../src/nn/index.ts";
import { expectSameBits, readAll } from "../../lib/compare.ts";
import { device } from "../../lib/device.ts";

const layers: readonly (readonly [string, Module, (x: Tensor) => Tensor])[] = [
  ["MaxPool", new MaxPool({ kernelSize: 3, stride: 2, padding: 1 }), (x) => maxPool(x, { kernelSize: 3, stride: 2, padding: 1 })],
  ["AvgPool", new AvgPool({ kernelSize: 2 }), (x) => avgPool(x, { kernelSize: 2 })],
  ["AdaptiveAvgPool", new AdaptiveAvgPool([3, 1]), (x) => adaptiveAvgPool(x, [3, 1])],
  ["Upsample", new Upsample({ scaleFactor: 2 }), (x) => interpolate(x, { scaleFactor: 2 })],
  ["PixelShuffle", new PixelShuffle(2), (x) => pixelShuffle(x, 2)],
];

test.each(layers)("nn/%s", async (_, layer, apply) => {
  const gpu = await device();
  const results = scope(() => {
    const data = Float32Array.from({ length: 4 * 6 * 5 }, (_, i) => Math.sin(i));
    const x = gpu.tensor({ data, shape: [1, 4, 6, 5] });
    return { layer: new Sequential([layer]).forward(x), function: apply(x) };
  });
  expect(layer.parameters()).toEqual([]);
  expect(results.layer.shape).toEqual(results.function.shape);
  const values = await readAll(results);
  for (const t of Object.values(results)) t.dispose();
  expectSameBits("output", values.layer, values.function);
});
