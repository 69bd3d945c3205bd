/** @file Graph models of TensorFlow.js compute what TensorFlow.js does, with the channels first; what is not supported is named. */

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { sizeOf } from "../../../src/host/array.ts";
import { FormatError } from "../../../src/host/errors.ts";
import { noGrad } from "../../../src/index.ts";
import { layersModel } from "../../../src/nn/index.ts";
import { importTfjsGraph } from "../../../src/onnx/index.ts";
import { readTfjs, type TfjsModel } from "../../../src/weights/index.ts";
import { device } from "../../lib/device.ts";

interface Expected {
  readonly input: number[];
  readonly outputs: readonly { readonly name: string; readonly shape: number[]; readonly data: number[] }[];
}

const bytes = (path: string) => readFileSync(new URL(`../../fixtures/tfjs_graph/${path}`, import.meta.url));
const read = (name: string): Promise<TfjsModel> =>
  readTfjs(bytes(`${name}/model.json`), async (path) => bytes(`${name}/${path}`));

test.each(["unet2d", "space3d"])("%s", async (name) => {
  const { input: shape, outputs } = JSON.parse(bytes(`${name}/expected.json`).toString()) as Expected;
  const gpu = await device();
  const model = importTfjsGraph(gpu, await read(name));
  expect(model.training).toBe(false);
  expect(model.inputs.map((v) => v.name)).toEqual(["image"]);
  const data = Float32Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(0.37 * (i + 1)));
  const results = noGrad(() => model.run({ image: gpu.tensor({ data, shape }) }));
  expect(Object.keys(results)).toEqual(outputs.map((o) => o.name));
  for (const { name: output, shape: wanted, data: right } of outputs) {
    const got = results[output];
    expect(got.shape).toEqual(wanted);
    const values = await got.data();
    expect(Math.max(...right.map((v, i) => Math.abs(v - values[i])))).toBeLessThan(2e-6);
  }
  model.dispose();
});

test("weights keep their names and can be trained", async () => {
  const gpu = await device();
  const model = importTfjsGraph(gpu, await read("space3d"));
  expect([...model.namedParameters()].map(([name]) => name)).toEqual(["enter/kernel", "scaled/by", "last/kernel"]);
  model.dispose();
});

const graph = async (node: unknown[]): Promise<TfjsModel> => ({ ...(await read("space3d")), topology: { node }, signature: {} });
const image = { name: "image", op: "Placeholder", attr: { shape: { shape: { dim: [{ size: "1" }, { size: "4" }] } } } };

test.each([
  ["an operation that is not known", [image, { name: "y", op: "Fft", input: ["image"] }], /not supported: Fft$/],
  ["a node that is not there", [{ name: "y", op: "Relu", input: ["x"] }], /"y" reads "x", which no node makes/],
  [
    "a cycle",
    [
      image,
      { name: "a", op: "Add", input: ["image", "b"] },
      { name: "b", op: "Relu", input: ["a"] },
      { name: "c", op: "Relu", input: ["b"] },
    ],
    /cycle through "b"/,
  ],
  [
    "a loop",
    [image, { name: "a", op: "Merge", input: ["image", "b"] }, { name: "b", op: "NextIteration", input: ["a"] }],
    /not supported: Merge, NextIteration/,
  ],
  [
    "a constant without values",
    [
      { name: "c", op: "Const" },
      { name: "y", op: "Relu", input: ["c"] },
    ],
    /Const "c": its values are not among the weights/,
  ],
  [
    "channels first",
    [image, { name: "y", op: "MaxPool", input: ["image"], attr: { data_format: { s: "TkNIVw==" } } }],
    /MaxPool "y": data_format NCHW/,
  ],
  ["two nodes of one name", [image, image], /two nodes have the same name/],
  ["an input too few", [image, { name: "y", op: "Reshape", input: ["image"] }], /Reshape "y": it has 1 inputs/],
])("%s is refused", async (_, node, message) => {
  const gpu = await device();
  const model = await graph(node);
  expect(() => importTfjsGraph(gpu, model)).toThrow(message);
});

test("the other kind of model is refused by each, with the name of the function that reads it", async () => {
  const gpu = await device();
  const model = await read("space3d");
  expect(() => layersModel(gpu, model)).toThrow(/importTfjsGraph/);
  expect(() => importTfjsGraph(gpu, { ...model, format: "layers-model" })).toThrow(FormatError);
});
