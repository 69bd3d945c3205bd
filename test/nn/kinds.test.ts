/** @file Mistakes that plain JavaScript lets pass: the error names the function and the argument, and says what came and what is wanted. */

import { expect, test } from "vitest";
import { makeVolume } from "../../src/data/index.ts";
import { ConfigError } from "../../src/index.ts";
import * as nn from "../../src/nn/index.ts";
import * as seg from "../../src/seg/index.ts";
import { device } from "../lib/device.ts";

// As plain JavaScript sees them.
const { Adam, Conv, InstanceNorm, Linear, Sequential, StepLR, activationLayer, deepSupervisionLoss, diceLoss, mseLoss, warmUp } =
  nn as any;
const { DiceMetric, SlidingWindowInferer, Trainer, UNet, computeDice, diceOfLabels, summarize, surfaceOf } = seg as any;
const gpu = await device();
const conv = new Conv(gpu, { spatialDims: 2, inChannels: 1, outChannels: 1, kernelSize: 1 });
const image = gpu.tensor({ data: new Float32Array(16), shape: [1, 1, 4, 4] });
const mask = { data: new Uint8Array(16), shape: [1, 1, 4, 4] };
const adam = new Adam(conv.parameters());

test.each<[string, () => unknown, string]>([
  [
    "the device forgotten",
    () => new Conv({ spatialDims: 2 }),
    "Conv: the options must be an object such as { spatialDims: … }, got undefined; is an argument before them missing, such as the device?",
  ],
  [
    "an option forgotten",
    () => new Linear(gpu, { inFeatures: 3 }),
    "Linear: options.outFeatures must be a number, got undefined",
  ],
  [
    "options in place of a number",
    () => new InstanceNorm(gpu, { channels: 2 }),
    "InstanceNorm: channels must be a number, got an object",
  ],
  ["a text for a number", () => new Adam(conv.parameters(), { lr: "1e-3" }), 'Adam: lr must be a number, got the text "1e-3"'],
  [
    "a model for its parameters",
    () => new Adam(conv),
    "Adam: the parameters are a list, such as model.parameters() or the groups",
  ],
  [
    "a class for a layer",
    () => new Sequential([Conv]),
    "Sequential: layers.0 must be a module, such as a network or a layer, got the class Conv; make",
  ],
  ["a network for an optimizer", () => new StepLR(conv, { stepSize: 3 }), "StepLR: optimizer must be an optimizer, got a Conv"],
  ["options for a schedule", () => warmUp({ tMax: 3 }, { steps: 2 }), "warmUp: schedule must be a function, got an object"],
  [
    "a number for a name",
    () => activationLayer(gpu, 3),
    "activationLayer: spec must be the name of a layer, or [name, { options }], got the number 3",
  ],
  [
    "a host array for a tensor",
    () => mseLoss(image, mask),
    "mseLoss: target is a host array, expected a tensor: upload it with device.tensor(array)",
  ],
  [
    "a text for a switch",
    () => diceLoss(image, image, { sigmoid: "false" }),
    'diceLoss: options.sigmoid must be true or false, got the text "false"',
  ],
  ["a loss forgotten", () => deepSupervisionLoss([image], image), "deepSupervisionLoss: loss must be a function, got undefined"],
  [
    "a tensor for a host array",
    () => computeDice(image, mask),
    "computeDice: yPred must be a host array { data, shape }, got a Tensor",
  ],
  [
    "a number for options",
    () => new DiceMetric(2),
    "DiceMetric: the options must be an object such as { includeBackground: … }, got number",
  ],
  [
    "names for classes",
    () => diceOfLabels(mask, mask, ["liver"]),
    "diceOfLabels: foreground must be a list of objects, got a list",
  ],
  ["texts for numbers", () => summarize(["0.9"]), "summarize: values must be a list of numbers, got a list"],
  [
    "a path for a volume",
    () => surfaceOf("liver.nii.gz"),
    'surfaceOf: volume must be a volume { data, shape, affine }, got the text "liver.nii.gz"; read the file first, with readImage or LoadImage',
  ],
  [
    "a class for a network",
    () => new Trainer(gpu, { model: UNet, optimizer: adam, loss: diceLoss }),
    "Trainer: options.model must be an object, got the class UNet",
  ],
])("%s", (_, call, message) => {
  expect(call).toThrow(ConfigError);
  expect(call).toThrow(message);
});

test.each<[string, unknown, string]>([
  ["a path for an image", "scan.nii.gz", 'inferer: image must be a host array { data, shape }, got the text "scan.nii.gz"'],
  [
    "a class for a predictor",
    makeVolume(mask),
    "the predictor is the class Conv, expected a function or an object with predict()",
  ],
])("%s", async (_, given, message) => {
  await expect((async () => new SlidingWindowInferer({ roiSize: 4 }).run(given, Conv))()).rejects.toThrow(message);
});
