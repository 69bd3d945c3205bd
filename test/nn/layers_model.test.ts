/** @file A TensorFlow.js layers model as a module computes what PyTorch computes with its weights. */
import { expect, test } from "vitest";
import { noGrad } from "../../src/index.ts";
import { layersModel } from "../../src/nn/index.ts";
import type { HostArray } from "../../src/host/array.ts";
import { device } from "../lib/device.ts";
import { expected, openTfjs } from "../weights/fixtures.ts";

const wave = (shape: readonly number[]): HostArray => {
  const size = shape.reduce((a, b) => a * b, 1);
  return { data: Float32Array.from({ length: size }, (_, i) => Math.sin(0.37 * (i + 1))), shape };
};

test("a model of convolutions computes the same", async () => {
  const gpu = await device();
  const net = layersModel(gpu, await openTfjs("mesh"));
  const { shape, data } = expected.mesh.output!;
  const out = noGrad(() => net.forward(gpu.tensor(wave([1, 1, 6, 5, 4]))));
  expect(out.shape).toEqual(shape);
  const got = await out.data();
  expect(Math.max(...data.map((v, i) => Math.abs(v - got[i])))).toBeLessThan(1e-5);
  net.dispose();
});
