/** @file What is easily given in the place of what is meant: an error says what to give instead. */

import { expect, test } from "vitest";
import { CheckpointError, ConfigError } from "../../src/index.ts";
import { Adagrad, Adam, Conv, NAdam, RAdam, RMSprop, SGD } from "../../src/nn/index.ts";
import { slidingWindowInference } from "../../src/seg/index.ts";
import { device } from "../lib/device.ts";

const conv = new Conv(await device(), { spatialDims: 2, inChannels: 1, outChannels: 1, kernelSize: 1 });
const anyConv = conv as any;

test.each([Adagrad, Adam, NAdam, RAdam, SGD, RMSprop])("an optimizer of a module: %o", (Optimizer) => {
  expect(() => new Optimizer(anyConv, { lr: 0.1 })).toThrow(ConfigError);
  expect(() => new Optimizer(anyConv, { lr: 0.1 })).toThrow(/model\.parameters\(\)/);
});

test("a module for a predictor", async () => {
  const image = { data: new Float32Array(64), shape: [1, 1, 8, 8] };
  await expect(slidingWindowInference(image, { roiSize: 4 }, anyConv)).rejects.toThrow(/a module; give new Predictor/);
});

test("a file of weights for its tensors", () => {
  const file: any = { format: "safetensors", tensors: new Map() };
  expect(() => conv.loadStateDict(file)).toThrow(CheckpointError);
  expect(() => conv.loadStateDict(file)).toThrow(/give its `tensors`/);
});
