/** @file What is no tensor, and class indices without their option, are errors that say what came and what to do. */

import { describe, expect, test } from "vitest";
import * as v from "../../src/index.ts";
import * as nn from "../../src/nn/index.ts";
import { device } from "../lib/device.ts";

const gpu = await device();
const t = v.full(gpu, [2, 1, 4, 4], 1);
const array = { data: new Float32Array(32), shape: [2, 1, 4, 4] };
// As plain JavaScript would call.
const any = (value: unknown) => value as v.Tensor;

test.each<[string, () => unknown, RegExp]>([
  ["a number in the first place", () => v.sub(any(1), t), /^sub: a is the number 1, expected a tensor.*turn the operation round/],
  ["two numbers", () => v.add(any(1), 2), /is the number 1, expected a tensor/],
  ["a number in a comparison", () => v.gt(any(1), t), /^gt: a is the number 1/],
  ["a host array", () => v.relu(any(array)), /^relu: input is a host array, expected a tensor: upload it with device\.tensor/],
  ["a host array as second", () => v.mul(t, any(array)), /^mul: b is a host array/],
  [
    "a host array in a layer",
    () => new nn.Conv(gpu, { spatialDims: 2, inChannels: 1, outChannels: 1, kernelSize: 3 }).forward(any(array)),
    /input is a host array/,
  ],
  ["a host array in a loss", () => nn.diceLoss(any(array), any(array)), /input is a host array/],
  ["a host array as target", () => nn.diceLoss(t, any(array)), /target is a host array/],
  ["a host array in a pool", () => v.maxPool(any(array), { kernelSize: 2 }), /^maxPool: x is a host array/],
  ["a host array in a norm", () => v.instanceNorm(any(array)), /^instanceNorm: x is a host array/],
  ["a host array in a mean", () => v.mean(any(array)), /^mean: x is a host array/],
  ["a list", () => v.conv(any([1, 2]), t), /^conv: x is a list of numbers/],
  ["nothing", () => v.softmax(any(undefined)), /^softmax: x is undefined/],
])("kinds/%s", (_, call, message) => {
  expect(call).toThrow(v.ConfigError);
  expect(call).toThrow(message);
});

// Operations that others do: the error has the name that was called.
const made: readonly (readonly [name: string, call: (x: v.Tensor) => unknown])[] = [
  ["add", (x) => v.add(x, 1)],
  ["sub", (x) => v.sub(x, 1)],
  ["mul", (x) => v.mul(x, 2)],
  ["neg", v.neg],
  ["sum", (x) => v.sum(x)],
  ["mean", (x) => v.mean(x, 1)],
  ["max", (x) => v.max(x, 1)],
  ["vectorNorm", (x) => v.vectorNorm(x, { p: 1 })],
  ["globalAvgPool", v.globalAvgPool],
  ["instanceNorm", (x) => v.instanceNorm(x)],
  ["groupNorm", (x) => v.groupNorm(x, 1)],
  ["layerNorm", (x) => v.layerNorm(x, 4)],
  ["batchNorm", (x) => v.batchNorm(x)],
];
const moves: typeof made = [
  ["conv", (x) => v.conv(x, v.full(gpu, [1, 1, 3, 3], 1), undefined, { padding: 1, paddingMode: "reflect" })],
  ["matmul", (x) => v.matmul(x, t)],
  ["reshape", (x) => v.reshape(x, [32])],
  ["permute", (x) => v.permute(x, [1, 0, 2, 3])],
  ["slice", (x) => v.slice(x, [[0, 1]])],
  ["stack", (x) => v.stack([t, x])],
  ["pad", (x) => v.pad(x, [1, 1])],
  ["tile", (x) => v.tile(x, [2])],
  ["detach", v.detach],
  ["cast", (x) => v.cast(x, "i32")],
];

test.each([...made, ...moves])("kinds/%s of a disposed tensor says so under its name", (name, call) => {
  const gone = v.full(gpu, [2, 1, 4, 4], 1);
  gone.dispose();
  expect(() => call(gone)).toThrow(v.ConfigError);
  expect(() => call(gone)).toThrow(new RegExp(`^${name}: .*\\[2, 1, 4, 4\\] was disposed`));
});

test.each(made)("kinds/%s of integers says so under its name, and what to do", (name, call) => {
  const whole = v.full(gpu, [2, 1, 4, 4], 1, "i32");
  expect(() => call(whole)).toThrow(v.DTypeError);
  expect(() => call(whole)).toThrow(new RegExp(`^${name}: .*i32, expected f32; cast`));
});

describe("kinds/class indices without toOnehotY", () => {
  const input = v.full(gpu, [2, 3, 4, 4], 0);
  test.each<[string, () => unknown]>([
    ["diceLoss", () => nn.diceLoss(input, t)],
    ["generalizedDiceLoss", () => nn.generalizedDiceLoss(input, t)],
    ["tverskyLoss", () => nn.tverskyLoss(input, t)],
    ["focalLoss", () => nn.focalLoss(input, t)],
    ["hausdorffDTLoss", () => nn.hausdorffDTLoss(input, t)],
  ])("kinds/%s", (name, call) => {
    expect(call).toThrow(v.ShapeError);
    expect(call).toThrow(new RegExp(`^${name}: .*toOnehotY: true`));
  });
});
