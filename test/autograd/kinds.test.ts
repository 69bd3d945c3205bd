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
