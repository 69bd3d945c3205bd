/** @file TensorFlow.js layers models with branches, pools and strides compute what TensorFlow.js computes: make_tfjs.mjs. */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { FormatError, grad, mean, noGrad, sizeOf, square } from "../../src/index.ts";
import { Adam, layersModel } from "../../src/nn/index.ts";
import { exportOnnx, importOnnx } from "../../src/onnx/index.ts";
import { device } from "../lib/device.ts";
import { openTfjs } from "../weights/fixtures.ts";

const folder = fileURLToPath(new URL("../fixtures/tfjs/", import.meta.url));
const models = readdirSync(folder);

interface Expected {
  readonly input: readonly number[];
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

const read = (name: string): Expected => JSON.parse(readFileSync(`${folder}/${name}/expected.json`, "utf8"));
const wave = (shape: readonly number[]) => ({
  data: Float32Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(0.37 * (i + 1))),
  shape,
});

test("there are models", () => expect(models.length).toBe(7));

describe.each(models)("%s", (name) => {
  test("computes the same, and so does its export as ONNX", async () => {
    const gpu = await device();
    const net = layersModel(gpu, await openTfjs(name, folder));
    const { input, shape, data } = read(name);
    const y = noGrad(() => net.forward(gpu.tensor(wave(input))));
    expect(y.shape).toEqual(shape);
    const got = await y.data();
    const largest = Math.max(1, ...data.map(Math.abs));
    expect(Math.max(...data.map((v, i) => Math.abs(v - got[i]))) / largest).toBeLessThan(2e-6);
    const again = importOnnx(gpu, await exportOnnx(net, input, { device: gpu }));
    const exported = await noGrad(() => again.forward(gpu.tensor(wave(input)))).data();
    expect(Math.max(...data.map((v, i) => Math.abs(v - exported[i]))) / largest).toBeLessThan(2e-6);
    again.dispose();
    net.dispose();
  });
});

test("a graph learns, and has its layers' names", async () => {
  const gpu = await device();
  const net = layersModel(gpu, await openTfjs("unet2d", folder));
  expect([...(await net.stateDict()).keys()]).toEqual(
    expect.arrayContaining(["enc_1.weight", "up_2.weight", "slopes.weight", "head.bias"]),
  );
  const x = gpu.tensor(wave(read("unet2d").input));
  const parameters = net.train().parameters();
  const adam = new Adam(parameters, { lr: 1e-2 });
  const losses: number[] = [];
  for (let i = 0; i < 4; i++) {
    const loss = mean(square(net.forward(x)));
    adam.step(grad(loss, parameters));
    losses.push(await loss.item());
  }
  expect(losses[3]).toBeLessThan(losses[0]);
  adam.dispose();
  net.dispose();
});

test("a model that TensorFlow.js made with bilinear interpolation is refused: it means something else there", async () => {
  const gpu = await device();
  const model = { ...(await openTfjs("bilinear", folder)), kerasVersion: "tfjs-layers 4.22.0" };
  expect(() => layersModel(gpu, model)).toThrow(FormatError);
  expect(() => layersModel(gpu, model)).toThrow(/corners of pixels/);
});
