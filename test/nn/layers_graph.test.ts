/** @file TensorFlow.js layers models with branches, pools and strides compute what TensorFlow.js computes: make_tfjs.mjs. */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { FormatError, grad, mean, noGrad, sizeOf, square } from "../../src/index.ts";
import { Adam, type LayersGraph, layersModel } from "../../src/nn/index.ts";
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

interface Joined {
  readonly inputs: readonly { readonly name: string; readonly shape: readonly number[] }[];
  readonly outputs: readonly { readonly name: string; readonly shape: readonly number[]; readonly data: readonly number[] }[];
}

describe.each(["siblings", "nested"])("%s: layers that are shared, models that are layers, several outputs", (name) => {
  const at = fileURLToPath(new URL("../fixtures/tfjs_joined/", import.meta.url));
  const { inputs, outputs }: Joined = JSON.parse(readFileSync(`${at}/${name}/expected.json`, "utf8"));
  const open = async () => layersModel(await device(), await openTfjs(name, at)) as LayersGraph;

  test("computes the same, under the model's names", async () => {
    const [gpu, net] = [await device(), await open()];
    const names = inputs.length === 1 ? [""] : inputs.map((v) => v.name);
    expect([net.inputs, net.outputs]).toEqual([names, outputs.map((v) => v.name)]);
    const given = inputs.map(({ shape }, i) => {
      const data = Float32Array.from({ length: sizeOf(shape) }, (_, k) => Math.sin((0.37 + 0.1 * i) * (k + 1)));
      return [names[i], gpu.tensor({ data, shape })] as const;
    });
    const results = noGrad(() => net.run(Object.fromEntries(given)));
    for (const { name: output, shape, data } of outputs) {
      expect(results[output].shape).toEqual(shape);
      const got = await results[output].data();
      expect(Math.max(...data.map((v, i) => Math.abs(v - got[i])))).toBeLessThan(2e-6);
    }
    net.dispose();
  });

  test("has each weight once, and says what it takes", async () => {
    const [gpu, net] = [await device(), await open()];
    const weights = [...net.namedParameters()].map(([key]) => key).filter((key) => key.endsWith("weight"));
    const wanted = {
      siblings: ["shared.weight", "norm.weight", "again.weight", "far.weight", "near.weight"],
      nested: ["block/inner_conv.weight", "block/tail/tail_conv.weight", "head/last.weight"],
    };
    expect(weights.sort()).toEqual(wanted[name as keyof typeof wanted].sort());
    const x = gpu.tensor({ data: new Float32Array(1), shape: [1, 1, 1, 1] });
    expect(() => net.forward(x)).toThrow(/call run with names/);
    expect(() => net.run({ other: x })).toThrow(/got inputs "other"; the model has/);
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
