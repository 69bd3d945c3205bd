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

test("a transposed convolution to a size, with more at the end, is onnxruntime's", async () => {
  const dev = await device();
  const attributes = { strides: [2], output_shape: [6], output_padding: [1] };
  const w: HostValue = { kind: "float", data: Float64Array.of(1, 1, 1), shape: [1, 1, 3] };
  const net = importOnnx(dev, model(["ConvTranspose", "x w", attributes], { w }, 3));
  const y = noGrad(() => net.forward(dev.tensor({ data: [1, 2, 3], shape: [1, 1, 3] })));
  expect(y.shape).toEqual([1, 1, 6]);
  expect([...(await y.data())]).toEqual([1, 3, 2, 5, 3, 3]);
  net.dispose();
});

test("further outputs: mean and deviation of a layer norm, places of a pool, and one without a name", async () => {
  const dev = await device();
  const found = async (op: string, outputs: readonly string[], output: string, attributes: Node[2], scale?: HostValue) => {
    const bytes = encodeOnnx({
      name: "test",
      nodes: [{ op, inputs: scale ? ["x", "scale"] : ["x"], outputs: [...outputs], attributes: attributes! }],
      initializers: new Map(scale ? [["scale", scale]] : []),
      input: { name: "x", type: "float", shape: ["n", "c", "w"] },
      output: { name: output, type: "float", shape: ["m"] },
    });
    const net = importOnnx(dev, bytes);
    const x = dev.tensor({ data: [1, 2, 3, 6, 8, 4, -1, 1], shape: [1, 2, 4] });
    const y = net.run({ x })[output];
    const data = [...(await y.data())];
    net.dispose();
    return { shape: y.shape, data };
  };
  const ones: HostValue = { kind: "float", data: Float64Array.of(1, 1, 1, 1), shape: [4] };
  const layer = (output: string) => found("LayerNormalization", ["y", "m", "s"], output, {}, ones);
  expect(await layer("m")).toEqual({ shape: [1, 2, 1], data: [3, 3] });
  const deviation = await layer("s");
  expect(deviation.shape).toEqual([1, 2, 1]);
  for (const [i, variance] of [3.5, 11.5].entries()) expect(deviation.data[i]).toBeCloseTo(1 / Math.sqrt(variance), 5);
  const pool = { kernel_shape: [2], strides: [2] };
  expect(await found("MaxPool", ["y", "i"], "i", pool)).toEqual({ shape: [1, 2, 2], data: [1, 3, 4, 7] });
  // Places are refused for such paddings, which nobody asks for here.
  expect(await found("MaxPool", ["y", ""], "y", { ...pool, pads: [0, 1] })).toEqual({ shape: [1, 2, 2], data: [2, 6, 8, 1] });
});

test("an axis that a flattened tensor does not have is refused", async () => {
  const dev = await device();
  for (const axis of [4, -4]) {
    const net = importOnnx(dev, model(["Flatten", "x", { axis }], {}, 3));
    const run = () => net.forward(dev.tensor({ data: [1, 2], shape: [1, 2, 1] }));
    expect(run).toThrow(`axis ${axis} is outside of a tensor of 3 axes`);
    expect(run).toThrow(FormatError);
    net.dispose();
  }
});

const truth = (holds: boolean): number => (holds ? 1 : 0);

test.each<[op: string, (a: number, b: number) => number]>([
  ["Add", (a, b) => a + b],
  ["Sub", (a, b) => a - b],
  ["Mul", (a, b) => a * b],
  ["Div", (a, b) => Math.trunc(a / b)],
  ["Mod", (a, b) => a - b * Math.floor(a / b)],
  ["Min", (a, b) => Math.min(a, b)],
  ["Max", (a, b) => Math.max(a, b)],
  ["Equal", (a, b) => truth(a === b)],
  ["Less", (a, b) => truth(a < b)],
  ["LessOrEqual", (a, b) => truth(a <= b)],
  ["Greater", (a, b) => truth(a > b)],
  ["GreaterOrEqual", (a, b) => truth(a >= b)],
])("integers of the graph itself: %s", async (op, wanted) => {
  const dev = await device();
  const [a, b] = [
    [-7, -3, 0, 2, 3, 7, 7],
    [2, -3, 5, 3, 3, -2, 2],
  ];
  const bytes = encodeOnnx({
    name: "test",
    nodes: [
      { op, inputs: ["a", "b"], outputs: ["of_constants"], attributes: {} },
      { op: "Cast", inputs: ["of_constants"], outputs: ["as_floats"], attributes: { to: 1 } },
      { op: "Add", inputs: ["x", "as_floats"], outputs: ["y"], attributes: {} },
    ],
    initializers: new Map(Object.entries({ a: ints(a), b: ints(b) })),
    input: { name: "x", type: "float", shape: ["n"] },
    output: { name: "y", type: "float", shape: ["n"] },
  });
  const net = importOnnx(dev, bytes);
  const y = noGrad(() => net.forward(dev.tensor({ data: a.map(() => 100), shape: [7] })));
  expect(Array.from(await y.data())).toEqual(a.map((v, i) => 100 + wanted(v, b[i])));
  net.dispose();
});

test.each([
  [0, [4, 2, 2], [1, 2, 3, 4, 5, 6, 7, 8, -1, -2, -3, -4, -5, -6, -7, -8]],
  [1, [2, 4, 2], [1, 2, 3, 4, -1, -2, -3, -4, 5, 6, 7, 8, -5, -6, -7, -8]],
  [-1, [2, 2, 4], [1, 2, -1, -2, 3, 4, -3, -4, 5, 6, -5, -6, 7, 8, -7, -8]],
])("integers of the graph itself are joined along axis %i", async (axis, shape, values) => {
  const dev = await device();
  const some = [1, 2, 3, 4, 5, 6, 7, 8];
  const bytes = encodeOnnx({
    name: "test",
    nodes: [
      { op: "Concat", inputs: ["a", "b"], outputs: ["joined"], attributes: { axis } },
      { op: "Cast", inputs: ["joined"], outputs: ["as_floats"], attributes: { to: 1 } },
      { op: "Mul", inputs: ["x", "as_floats"], outputs: ["y"], attributes: {} },
    ],
    initializers: new Map(
      Object.entries({
        a: ints(some, [2, 2, 2]),
        b: ints(
          some.map((v) => -v),
          [2, 2, 2],
        ),
      }),
    ),
    input: { name: "x", type: "float", shape: [1] },
    output: { name: "y", type: "float", shape },
  });
  const net = importOnnx(dev, bytes);
  const y = noGrad(() => net.forward(dev.tensor({ data: [1], shape: [1] })));
  expect([y.shape, [...(await y.data())]]).toEqual([shape, values]);
  net.dispose();
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
    "an unknown reduction",
    ["ScatterND", "x i x", { reduction: "median" }],
    { i: ints([0, 1, 2, 3], [4, 1]) },
    ConfigError,
    /reduction "median"/,
  ],
])("refused: %s", async (_, node, constants, error, message) => {
  const dev = await device();
  const net = importOnnx(dev, model(node, constants));
  const x = dev.tensor({ data: [1, 2, 3, 4], shape: [4] });
  const run = () => noGrad(() => net.forward(x));
  expect(run).toThrow(error);
  expect(run).toThrow(message);
});

// The largest error of f32 and its gradient, and where: beyond these the functions have no value or are steep.
test.each([
  ["Asin", Math.asin, (x: number) => 1 / Math.sqrt(1 - x * x), -0.99, 0.99],
  ["Acos", Math.acos, (x: number) => -1 / Math.sqrt(1 - x * x), -0.99, 0.99],
  ["Atan", Math.atan, (x: number) => 1 / (1 + x * x), -30, 30],
  ["Tan", Math.tan, (x: number) => 1 / Math.cos(x) ** 2, -1.5, 1.5],
  ["Sinh", Math.sinh, Math.cosh, -5, 5],
  ["Cosh", Math.cosh, Math.sinh, -5, 5],
  ["Asinh", Math.asinh, (x: number) => 1 / Math.sqrt(1 + x * x), -1000, 1000],
  ["Acosh", Math.acosh, (x: number) => 1 / Math.sqrt(x * x - 1), 1.1, 1000],
  ["Atanh", Math.atanh, (x: number) => 1 / (1 - x * x), -0.95, 0.95],
] as const)("%s and its gradient are within 2e-6 of what they are", async (op, truth, slope, low, high) => {
  const dev = await device();
  const net = importOnnx(dev, model([op, "x"]));
  const size = 4001;
  const points = Float32Array.from({ length: size }, (_, i) => low + ((high - low) * i) / (size - 1));
  const x = dev.tensor({ data: points, shape: [size] });
  x.requiresGrad = true;
  const y = net.forward(x);
  const [dx] = grad(sum(y), [x]);
  for (const [got, f] of [
    [await y.data(), truth],
    [await dx.data(), slope],
  ] as const)
    expect(Math.max(...points.map((p, i) => Math.abs(got[i] - f(p)) / Math.max(1, Math.abs(f(p)))))).toBeLessThan(2e-6);
  net.dispose();
});

test("gradients of ScatterND with reductions go to all that had a part", async () => {
  const dev = await device();
  // Row 1 is named three times: 2 · 5 · 3 · 4.
  const index = ints([1, 0, 1, 1], [4, 1]);
  const updates: HostValue = { kind: "float", data: Float32Array.of(5, 7, 3, 4), shape: [4, 1] };
  const net = importOnnx(dev, model(["ScatterND", "x i u", { reduction: "mul" }], { i: index, u: updates }, 2));
  const x = dev.tensor({ data: Float32Array.of(10, 2, 30), shape: [3, 1] });
  x.requiresGrad = true;
  const y = net.forward(x);
  expect(Array.from(await y.data())).toEqual([70, 120, 30]);
  const [dx, du] = grad(sum(y), [x, ...net.parameters()]);
  expect(Array.from(await dx.data())).toEqual([7, 60, 1]);
  expect(Array.from(await du.data())).toEqual([24, 10, 40, 30]);
  net.dispose();
});

test("attributes of another kind than the operator's are refused, not read as nothing", async () => {
  const dev = await device();
  const x = dev.tensor({ data: Float32Array.of(1, 2), shape: [1, 2] });
  for (const [node, message] of [
    [["Softmax", "x", { axis: { float: 0 } }], /Softmax "y": the attribute axis is of kind 1; expected 2 \(INT\)/],
    [["Transpose", "x", { perm: 1 }], /perm is of kind 2; expected 7 \(INTS\)/],
    [["LeakyRelu", "x", { alpha: 1 }], /alpha is of kind 2; expected 1 \(FLOAT\)/],
    [["ReduceMean", "x", { axes: [0] }], /the attribute axes is an input from operator set 18 on; the file says 19/],
    [["Clip", "x", { max: { float: 1 } }], /the attribute max is an input from operator set 11 on/],
    [["Mod", "x", { fmod: 1 }], FormatError],
  ] as const satisfies readonly (readonly [Node, unknown])[])
    expect(() => importOnnx(dev, model(node, {}, 2)).forward(x)).toThrow(message);
});
