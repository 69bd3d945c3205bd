/** @file Graph models of TensorFlow.js compute what TensorFlow.js does, with the channels first; what is not supported is named. */

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { sizeOf } from "../../../src/host/array.ts";
import { FormatError } from "../../../src/host/errors.ts";
import { noGrad } from "../../../src/index.ts";
import { layersModel } from "../../../src/nn/index.ts";
import { importTfjsGraph } from "../../../src/onnx/index.ts";
import { readTfjs, type TfjsModel, type WeightTensor } from "../../../src/weights/index.ts";
import { device } from "../../lib/device.ts";

interface Expected {
  readonly input: number[];
  readonly outputs: readonly { readonly name: string; readonly shape: number[]; readonly data: number[] }[];
}

const bytes = (path: string) => readFileSync(new URL(`../../fixtures/tfjs_graph/${path}`, import.meta.url));
const read = (name: string): Promise<TfjsModel> =>
  readTfjs(bytes(`${name}/model.json`), async (path) => bytes(`${name}/${path}`));

test.each(["unet2d", "space3d", "blocks2d"])("%s", async (name) => {
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

test("a cut behind an ellipsis is as numpy's x[newaxis, ..., 2:9:2, -1]", async () => {
  const gpu = await device();
  const given = await read("blocks2d");
  const input = [0, 1, 2].map((i) => `ellipsis/${i}`);
  const placeholder = { name: "x", op: "Placeholder", attr: { shape: { shape: { dim: [2, 6, 3].map((size) => ({ size })) } } } };
  const attr = { new_axis_mask: { i: "1" }, ellipsis_mask: { i: "2" }, shrink_axis_mask: { i: "8" } };
  const node = [
    placeholder,
    ...input.map((name) => ({ name, op: "Const" })),
    { name: "y", op: "StridedSlice", input: ["x", ...input], attr },
  ];
  const model = importTfjsGraph(gpu, { ...given, topology: { node }, signature: {} });
  const data = Float32Array.from({ length: 36 }, (_, i) => i);
  const { y } = model.run({ x: gpu.tensor({ data, shape: [2, 6, 3] }) });
  expect(y.shape).toEqual([1, 2, 2]);
  expect(Array.from(await y.data())).toEqual([8, 14, 26, 32]);
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
  [
    "a split into more parts than a graph can have",
    [image, { name: "c", op: "Const" }, { name: "y", op: "Unpack", input: ["image"], attr: { num: { i: "1000000000" } } }],
    /Unpack "y": num is 1000000000; expected 1 to 4096/,
  ],
  [
    "a kernel of other axes",
    [image, { name: "last/kernel", op: "Const" }, { name: "y", op: "DepthwiseConv2dNative", input: ["image", "last/kernel"] }],
    /DepthwiseConv2dNative "y": its kernel has 5 axes in place of 4/,
  ],
  ["an input too few", [image, { name: "y", op: "Reshape", input: ["image"] }], /Reshape "y": it has 1 inputs/],
])("%s is refused", async (_, node, message) => {
  const gpu = await device();
  const model = await graph(node);
  expect(() => importTfjsGraph(gpu, model)).toThrow(message);
});

test("outputs keep their names where nodes are called as operations of ONNX are, or come twice, or are inputs", async () => {
  const gpu = await device();
  const node = [image, { name: "Relu", op: "Relu", input: ["image"] }, { name: "Add", op: "Add", input: ["Relu", "Relu:0"] }];
  const output = (name: string) => ({ name: `${name}:0` });
  const outputs = { first: output("Add"), again: output("Add"), second: output("Relu"), third: output("image") };
  const model = importTfjsGraph(gpu, { ...(await graph(node)), signature: { outputs } });
  const results = model.run({ image: gpu.tensor({ data: Float32Array.of(-1, 0, 1, 2), shape: [1, 4] }) });
  expect(Object.keys(results)).toEqual(["Add", "Relu", "image"]);
  expect(Array.from(await results.Add.data())).toEqual([0, 0, 2, 4]);
  expect(Array.from(await results.image.data())).toEqual([-1, 0, 1, 2]);
});

const ints = (...i: number[]) => ({ list: { i } });

test("no axis is no reduction; parts of a value have names; padding may be told", async () => {
  const gpu = await device();
  const weights = new Map<string, WeightTensor>([
    ["none", { shape: [0], data: new Int32Array(0), dtype: "I32" }],
    ["axis", { shape: [], data: Int32Array.of(-1), dtype: "I32" }],
    ["kernel", { shape: [3, 3, 1, 1], data: new Float32Array(9).fill(1), dtype: "F32" }],
  ]);
  const dim = [1, 2, 2, 2].map((size) => ({ size }));
  const consts = [...weights.keys()].map((name) => ({ name, op: "Const" }));
  const node = [
    ...consts,
    { name: "x", op: "Placeholder", attr: { shape: { shape: { dim } } } },
    { name: "same", op: "Sum", input: ["x", "none"] },
    { name: "parts", op: "Split", input: ["axis", "same"], attr: { num_split: { i: "2" } } },
    {
      name: "y",
      op: "Conv2D",
      input: ["parts:1", "kernel"],
      attr: { strides: ints(1, 1, 1, 1), padding: { s: btoa("EXPLICIT") }, explicit_paddings: ints(0, 0, 1, 1, 1, 2, 0, 0) },
    },
  ];
  const model = importTfjsGraph(gpu, { ...(await graph(node)), weights });
  const { y } = model.run({ x: gpu.tensor({ data: Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8), shape: [1, 2, 2, 2] }) });
  expect(y.shape).toEqual([1, 1, 2, 3]);
  expect(Array.from(await y.data())).toEqual([26, 26, 14, 26, 26, 14]);
  model.dispose();
});

test("the other kind of model is refused by each, with the name of the function that reads it", async () => {
  const gpu = await device();
  const model = await read("space3d");
  expect(() => layersModel(gpu, model)).toThrow(/importTfjsGraph/);
  expect(() => importTfjsGraph(gpu, { ...model, format: "layers-model" })).toThrow(FormatError);
});
