/** @file What onnxruntime's results do not tell of operators: accuracy over a range, gradients, and what is refused. */

import { describe, expect, test } from "vitest";
import { ConfigError, FormatError, grad, noGrad, sum } from "../../../src/index.ts";
import { encodeOnnx } from "../../../src/onnx/export/builder.ts";
import { exportOnnx, importOnnx } from "../../../src/onnx/index.ts";
import type { AttributeValue } from "../../../src/onnx/native.ts";
import type { HostValue } from "../../../src/onnx/values.ts";
import { device } from "../../lib/device.ts";

type Node = readonly [op: string, inputs: string, attributes?: Readonly<Record<string, AttributeValue>>];

/** A model of one operator. */
const model = (
  [op, inputs, attributes = {}]: Node,
  initializers: Readonly<Record<string, HostValue>> = {},
  rank = 1,
): Uint8Array =>
  encodeOnnx({
    name: "test",
    nodes: [{ op, inputs: inputs.split(" "), outputs: ["y"], attributes }],
    initializers: new Map(Object.entries(initializers)),
    input: { name: "x", type: "float", shape: Array.from({ length: rank }, (_, i) => `n${i}`) },
    output: { name: "y", type: "float", shape: ["m"] },
  });
const ints = (data: readonly number[], shape: readonly number[] = [data.length]): HostValue => ({
  kind: "int",
  data: Float64Array.from(data),
  shape,
});

describe.each([
  ["Sin", Math.sin, Math.cos],
  ["Cos", Math.cos, (x: number) => -Math.sin(x)],
] as const)("%s", (op, truth, slope) => {
  const size = 1 << 17;
  const points = Float32Array.from({ length: size }, (_, i) => -1000 + (2000 * i) / (size - 1));

  test("is within 1e-6 from −1000 to 1000, and so is its gradient", async () => {
    const dev = await device();
    const net = importOnnx(dev, model([op, "x"]));
    const x = dev.tensor({ data: points, shape: [size] });
    x.requiresGrad = true;
    const y = net.forward(x);
    const [dx] = grad(sum(y), [x]);
    for (const [got, f] of [
      [await y.data(), truth],
      [await dx.data(), slope],
    ] as const) {
      expect(Math.max(...Array.from({ length: 1000 }, (_, part) => worst(got, f, part)))).toBeLessThan(1e-6);
    }
    net.dispose();
  });
  function worst(got: ArrayLike<number>, f: (x: number) => number, part: number): number {
    let error = 0;
    for (let i = part; i < size; i += 1000) error = Math.max(error, Math.abs(got[i] - f(points[i])));
    return error;
  }

  test("is one node again when the model is exported", async () => {
    const dev = await device();
    const net = importOnnx(dev, model([op, "x"]));
    const again = importOnnx(dev, await exportOnnx(net, [3], { device: dev }));
    const x = dev.tensor({ data: [-700.5, 0, 3], shape: [3] });
    const y = noGrad(() => again.forward(x));
    expect(Array.from(await y.data(), (v, i) => Math.abs(v - truth([-700.5, 0, 3][i])) < 1e-6)).toEqual([true, true, true]);
  });
});

test("the gradient of TopK, GatherND and Einsum goes to what was picked", async () => {
  const dev = await device();
  const gradient = async (
    node: Node,
    constants: Readonly<Record<string, HostValue>>,
    data: readonly number[],
    shape: readonly number[],
  ) => {
    const net = importOnnx(dev, model(node, constants, shape.length));
    const x = dev.tensor({ data, shape });
    x.requiresGrad = true;
    const { y } = net.run({ x });
    const [dx] = grad(sum(y), [x]);
    return Array.from(await dx.data());
  };
  expect(await gradient(["TopK", "x k"], { k: ints([2]) }, [3, 9, -1, 4], [4])).toEqual([0, 1, 0, 1]);
  expect(await gradient(["GatherND", "x i"], { i: ints([1, -1, 1, 1], [2, 2]) }, [1, 2, 3, 4], [2, 2])).toEqual([0, 0, 0, 2]);
  expect(await gradient(["Einsum", "x", { equation: "ii->" }], {}, [1, 2, 3, 4], [2, 2])).toEqual([1, 0, 0, 1]);
});

test.each<[string, Node, Readonly<Record<string, HostValue>>, new (...a: never[]) => Error, RegExp]>([
  ["a zero point of 64 bits", ["QuantizeLinear", "x x z", { axis: 0 }], { z: ints([0], []) }, ConfigError, /quantizing to int64/],
  ["an index outside", ["GatherND", "x i"], { i: ints([7], [1, 1]) }, FormatError, /index 7 is outside of an axis of 4/],
  ["more than there are", ["TopK", "x k"], { k: ints([5]) }, FormatError, /the first 5 of an axis of 4/],
  ["a term that does not fit", ["Einsum", "x", { equation: "ab->a" }], {}, FormatError, /the term "ab" for a tensor of 1 axes/],
  ["an unknown result", ["Einsum", "x", { equation: "a->b" }], {}, FormatError, /the result "b"/],
  ["an equation for two", ["Einsum", "x", { equation: "a,a->a" }], {}, FormatError, /for 1 inputs/],
  ["no depth", ["OneHot", "x d v"], { d: ints([0], []), v: ints([0, 1]) }, FormatError, /the depth is 0/],
  [
    "a reduction",
    ["ScatterND", "x i x", { reduction: "add" }],
    { i: ints([0, 1, 2, 3], [4, 1]) },
    ConfigError,
    /reduction "add"/,
  ],
])("refused: %s", async (_, node, constants, error, message) => {
  const dev = await device();
  const net = importOnnx(dev, model(node, constants));
  const x = dev.tensor({ data: [1, 2, 3, 4], shape: [4] });
  const run = () => noGrad(() => net.forward(x));
  expect(run).toThrow(error);
  expect(run).toThrow(message);
});
