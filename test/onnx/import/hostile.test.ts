/** @file Damaged and hostile ONNX files: a typed error each, and no more memory than the file justifies. */

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { ConfigError, FormatError, noGrad, VoxgradError } from "../../../src/index.ts";
import { encodeOnnx } from "../../../src/onnx/export/builder.ts";
import type { HostValue } from "../../../src/onnx/values.ts";
import { importOnnx, inspectOnnx, readOnnxWeights } from "../../../src/onnx/index.ts";
import type { AttributeValue } from "../../../src/onnx/native.ts";
import { Writer } from "../../../src/onnx/proto.ts";
import { device } from "../../lib/device.ts";

const file = new Uint8Array(readFileSync(new URL("../../fixtures/onnx/bilinear.onnx", import.meta.url)));

type Node = readonly [
  op: string,
  inputs: readonly string[],
  outputs: string[],
  attributes?: Readonly<Record<string, AttributeValue>>,
];

const floats = (data: readonly number[], shape: readonly number[] = [data.length]): HostValue => ({
  kind: "float",
  data: Float32Array.from(data),
  shape,
});
const ints = (data: readonly number[]): HostValue => ({ kind: "int", data: Float64Array.from(data), shape: [data.length] });

const graph = (nodes: readonly Node[], initializers: Readonly<Record<string, HostValue>> = {}): Uint8Array =>
  encodeOnnx({
    name: "test",
    nodes: nodes.map(([op, inputs, outputs, attributes = {}]) => ({ op, inputs, outputs, attributes })),
    initializers: new Map(Object.entries(initializers)),
    input: { name: "x", type: "float", shape: ["n"] },
    output: { name: "y", type: "float", shape: ["n"] },
  });

/** A model with one more field in its graph. */
const withField = (id: number, content: Writer): Uint8Array =>
  new Writer()
    .int(1, 8)
    .message(7, new Writer().message(1, new Writer().text(1, "x").text(2, "y").text(4, "Relu")).message(id, content))
    .message(8, new Writer().text(1, "").int(2, 17))
    .finish();

test("a file cut off anywhere is refused", () => {
  for (let at = 0; at < file.length; at += 1 + Math.floor(file.length / 300)) {
    expect(() => readOnnxWeights(file.subarray(0, at)), `${at} bytes`).toThrow(FormatError);
  }
});

test("a file with wrong bytes is refused or still means something", async () => {
  const dev = await device();
  const x = dev.tensor({ data: new Float32Array(192), shape: [1, 1, 12, 16] });
  let state = 1;
  const random = (n: number) => (state = (state * 48271) % 2147483647) % n;
  let refused = 0;
  for (let i = 0; i < 150; i++) {
    const bytes = file.slice();
    for (let k = 0; k < 3; k++) bytes[random(bytes.length)] = random(256);
    try {
      const model = importOnnx(dev, bytes);
      noGrad(() => model.run({ [model.inputs[0]?.name ?? "x"]: x }));
      model.dispose();
    } catch (e) {
      expect(e, String(e)).toBeInstanceOf(VoxgradError);
      refused++;
    }
  }
  expect(refused).toBeGreaterThan(10);
});

test("what is no ONNX is refused", () => {
  const text = new TextEncoder().encode("PK\u0003\u0004 this is something else, and rather longer than a header");
  for (const bytes of [new Uint8Array(0), new Uint8Array(64), new Uint8Array(64).fill(255), text]) {
    expect(() => inspectOnnx(bytes)).toThrow(FormatError);
  }
});

test("lengths and sizes that lie are refused before anything is allocated", async () => {
  const dev = await device();
  const tensor = (dims: readonly number[], type: number, data: Uint8Array) => {
    const w = new Writer();
    for (const d of dims) w.int(1, d);
    return w.int(2, type).text(8, "w").bytes(9, data);
  };
  const wrong = [
    tensor([2 ** 40], 1, new Uint8Array(16)),
    tensor([2 ** 31, 2 ** 31], 1, new Uint8Array(16)),
    tensor([-4], 1, new Uint8Array(16)),
    tensor([5], 1, new Uint8Array(16)),
    tensor([4], 77, new Uint8Array(16)),
    tensor([4], 8, new Uint8Array(16)),
  ];
  for (const w of wrong) expect(() => readOnnxWeights(withField(5, w))).toThrow(FormatError);
  const claims = [0xf2, 0x7f, 0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f];
  expect(() => inspectOnnx(Uint8Array.from([...file.subarray(0, 20), ...claims]))).toThrow(FormatError);
  // Shapes that only the graph claims.
  const large = graph(
    [
      ["ConstantOfShape", ["s"], ["c"]],
      ["Add", ["x", "c"], ["y"]],
    ],
    { s: ints([2 ** 30, 2 ** 20]) },
  );
  const ranged = graph(
    [
      ["Range", ["a", "b", "c"], ["r"]],
      ["Reshape", ["x", "r"], ["y"]],
    ],
    { a: ints([0]), b: ints([2 ** 40]), c: ints([1]) },
  );
  const tiled = graph(
    [
      ["Tile", ["a", "b"], ["t"]],
      ["Reshape", ["x", "t"], ["y"]],
    ],
    { a: ints([1, 1]), b: ints([2 ** 30]) },
  );
  for (const bytes of [large, ranged, tiled]) {
    const x = dev.tensor({ data: [1], shape: [1] });
    expect(() => importOnnx(dev, bytes).forward(x)).toThrow(VoxgradError);
  }
});

test("a file that is small and unpacks to much is refused", () => {
  const nodes = new Writer();
  for (let i = 0; i < 60_000; i++) nodes.bytes(1, new Uint8Array(0));
  const many = new Writer().message(7, nodes).message(8, new Writer().int(2, 17)).finish();
  expect(() => inspectOnnx(many)).toThrow(/four times the file.s size/);
  // Eight bytes for each of one.
  const packed = new Writer().bytes(7, new Uint8Array(400_000)).int(2, 7).int(1, 400_000);
  expect(() => inspectOnnx(withField(5, packed))).toThrow(/four times the file.s size/);
});

test("graphs nested in attributes are not followed", () => {
  let inner = new Writer().text(2, "deep");
  for (let i = 0; i < 2000; i++)
    inner = new Writer().message(1, new Writer().text(4, "If").message(5, new Writer().text(1, "then").message(6, inner)));
  const bytes = withField(1, new Writer().text(2, "z").text(4, "If").message(5, new Writer().text(1, "then").message(6, inner)));
  expect(inspectOnnx(bytes).operators.get("If")).toBe(1);
});

test("graphs that are none are refused", async () => {
  const dev = await device();
  const refused: readonly (readonly [readonly Node[], RegExp])[] = [
    [
      [
        ["Add", ["x", "b"], ["a"]],
        ["Relu", ["a"], ["b"]],
        ["Relu", ["b"], ["y"]],
      ],
      /cycle/,
    ],
    [[["Relu", ["y"], ["y"]]], /cycle/],
    [[["Relu", ["z"], ["y"]]], /"z", which nothing makes/],
    [[["Relu", ["x"], ["z"]]], /"y", which nothing makes/],
    [
      [
        ["Relu", ["x"], ["y"]],
        ["Abs", ["x"], ["y"]],
      ],
      /made twice/,
    ],
  ];
  for (const [nodes, message] of refused) {
    expect(() => importOnnx(dev, graph(nodes))).toThrow(message);
    expect(() => importOnnx(dev, graph(nodes))).toThrow(FormatError);
  }
  // Nodes may come in any order.
  const late = importOnnx(
    dev,
    graph([
      ["Relu", ["a"], ["y"]],
      ["Neg", ["x"], ["a"]],
    ]),
  );
  expect(Array.from(await late.forward(dev.tensor({ data: [-2, 3], shape: [2] })).data())).toEqual([2, 0]);
});

test("a long chain needs no deep stack", async () => {
  const dev = await device();
  const chain = Array.from({ length: 20_000 }, (_, i): Node => [
    "Identity",
    [i === 0 ? "x" : `v${i}`],
    [i === 19_999 ? "y" : `v${i + 1}`],
  ]);
  const model = importOnnx(dev, graph(chain));
  expect(Array.from(await model.forward(dev.tensor({ data: [5], shape: [1] })).data())).toEqual([5]);
});

test("all operators that are missing are named at once", async () => {
  const dev = await device();
  const nodes: readonly Node[] = [
    ["LSTM", ["x"], ["a"]],
    ["Loop", ["a"], ["b"]],
    ["Relu", ["b"], ["c"]],
    ["NonMaxSuppression", ["c"], ["y"]],
  ];
  expect(() => importOnnx(dev, graph(nodes))).toThrow(/LSTM, Loop, NonMaxSuppression/);
  expect(() => importOnnx(dev, graph(nodes))).toThrow(ConfigError);
});

test("nodes that contradict themselves or want what is not known", async () => {
  const dev = await device();
  const x = dev.tensor({ data: [1, 2, 3, 4], shape: [4] });
  const run = (nodes: readonly Node[], initializers: Readonly<Record<string, HostValue>> = {}) =>
    importOnnx(dev, graph(nodes, initializers)).forward(x);
  expect(() => run([["Reshape", ["x", "s"], ["y"]]], { s: ints([3, -1]) })).toThrow(FormatError);
  expect(() => run([["Softmax", ["x"], ["y"], { axis: 7 }]])).toThrow(FormatError);
  expect(() => run([["Gather", ["x", "s"], ["y"]]], { s: ints([4]) })).toThrow(FormatError);
  expect(() => run([["Slice", ["x", "s", "s"], ["y"], {}]], { s: ints([0, 0]) })).toThrow(FormatError);
  expect(() => run([["Conv", ["x"], ["y"]]])).toThrow(FormatError);
  expect(() =>
    run([
      ["Cast", ["x"], ["s"], { to: 7 }],
      ["Reshape", ["x", "s"], ["y"]],
    ]),
  ).toThrow(/depends on the data/);
  expect(() => run([["Add", ["x", "s"], ["y"]]], { s: floats([1, 2, 3]) })).toThrow(VoxgradError);
});

test("weights in other files need their bytes, and names below the model", () => {
  const pair = (key: string, value: string) => new Writer().text(1, key).text(2, value);
  const outside = (location: string, offset: string, length: string) =>
    withField(
      5,
      new Writer()
        .int(1, 2)
        .int(2, 1)
        .text(8, "w")
        .message(13, pair("location", location))
        .message(13, pair("offset", offset))
        .message(13, pair("length", length))
        .int(14, 1),
    );
  const bytes = new Uint8Array(Float32Array.of(0, 1.5, -2).buffer);
  expect(() => readOnnxWeights(outside("w.bin", "4", "8"))).toThrow(/option external/);
  const weights = readOnnxWeights(outside("w.bin", "4", "8"), { external: (name) => (expect(name).toBe("w.bin"), bytes) });
  expect(weights.get("w")!.data).toEqual(Float32Array.of(1.5, -2));
  const never = (): Uint8Array => expect.unreachable();
  for (const name of ["../w.bin", "/etc/w.bin", "a/../../w", "C:\\w.bin", "file:w", ""]) {
    expect(() => readOnnxWeights(outside(name, "0", "8"), { external: never })).toThrow(FormatError);
  }
  for (const [offset, length] of [
    ["8", "8"],
    ["-4", "8"],
    ["0", "4"],
    ["1e30", "8"],
    ["x", "8"],
  ]) {
    expect(() => readOnnxWeights(outside("w.bin", offset, length), { external: () => bytes })).toThrow(FormatError);
  }
});
