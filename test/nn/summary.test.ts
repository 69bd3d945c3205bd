/** @file The summary of a network: rows, counts and planned memory, and that nothing runs. */

import { expect, test } from "vitest";
import { capture, ConfigError, grad, mean, noGrad, ShapeError } from "../../src/index.ts";
import { Activation, BatchNorm, Conv, ConvTranspose, Linear, Sequential, summary, summaryText } from "../../src/nn/index.ts";
import { DynUNet, UNet } from "../../src/seg/index.ts";
import { Plan } from "../../src/tensor/plan.ts";
import { device } from "../lib/device.ts";

test("layers, shapes, parameters and FLOPs of a small network", async () => {
  const dev = await device();
  const net = new Sequential({
    down: new Conv(dev, { spatialDims: 2, inChannels: 2, outChannels: 4, kernelSize: 3, stride: 2, padding: 1, groups: 2 }),
    norm: new BatchNorm(dev, 4),
    up: new ConvTranspose(dev, { spatialDims: 2, inChannels: 4, outChannels: 3, kernelSize: 2, stride: 2, bias: false }),
    last: new Linear(dev, { inFeatures: 6, outFeatures: 5 }),
  });
  const s = summary(net, [2, 2, 8, 6]);
  expect(s.layers.map(({ name, outputShape, parameters, flops }) => [name, outputShape, parameters, flops])).toEqual([
    ["", [2, 3, 8, 5], 40 + 8 + 48 + 35, 1728 + 2304 + 2880],
    ["down", [2, 4, 4, 3], 40, 2 * 96 * 9],
    ["norm", [2, 4, 4, 3], 8, 0],
    ["up", [2, 3, 8, 6], 48, 2 * 96 * 12],
    ["last", [2, 3, 8, 5], 35, 2 * 240 * 6],
  ]);
  expect([s.parameters, s.trainable]).toEqual([131, 131]);
  expect(s.stateBytes).toBe(4 * (131 + 9));
  expect(summaryText(s)).toBe(
    [
      "layer                 output  parameters  GFLOP",
      "-----------------------------------------------",
      "Sequential           2×3×8×5         131  0.000",
      "  down: Conv         2×4×4×3          40  0.000",
      "  norm: BatchNorm    2×4×4×3           8  0.000",
      "  up: ConvTranspose  2×3×8×6          48  0.000",
      "  last: Linear       2×3×8×5          35  0.000",
      "-----------------------------------------------",
      "input [2, 2, 8, 6], output [2, 3, 8, 5]",
      "parameters 131 (131 trainable), with buffers 0.0 MiB",
      "forward 0.000 GFLOP (2 per multiply-add of convolutions and matrix products)",
      `planned peak memory beside them: inference ${(s.inferenceBytes / 2 ** 20).toFixed(1)} MiB, training step ${(s.trainingBytes! / 2 ** 20).toFixed(1)} MiB`,
    ].join("\n"),
  );
  expect(summaryText(s, { depth: 0 })).not.toContain("Conv");
  net.dispose();
});

test("the planned memory is what capture plans, and nothing runs", async () => {
  const dev = await device();
  const net = new UNet(dev, {
    spatialDims: 2,
    inChannels: 1,
    outChannels: 1,
    channels: [16, 32, 64, 128],
    strides: [2, 2, 2],
    numResUnits: 2,
    norm: "BATCH",
    dropout: 0.1,
  });
  const bottom = [...net.children()][0][1];
  bottom.eval();
  const before = [dev.eager.count.dispatches, dev.memory.live];
  const statistics = await net.stateDict();
  const s = summary(net, [3, 1, 48, 48]);
  expect([dev.eager.count.dispatches, dev.memory.live]).toEqual(before);
  expect([net.training, bottom.training]).toEqual([true, false]);
  for (const [name, { data }] of await net.stateDict()) expect(data, name).toEqual(statistics.get(name)!.data);
  expect(s.parameters).toBe(401_288 + 2 * 577);
  expect(s.outputShape).toEqual([3, 1, 48, 48]);
  expect(s.layers.find(({ name }) => name === "model.1.submodule.0.conv.unit0.conv")?.outputShape).toEqual([3, 32, 12, 12]);

  net.eval();
  const forward = capture(dev, (x) => noGrad(() => net.forward(x)));
  const x = dev.empty([3, 1, 48, 48]);
  expect(s.inferenceBytes).toBe((await forward.prepare([x])).ownBytes);
  net.train();
  const step = new Plan(dev, [x], (x) => grad(mean(net.forward(x)), net.parameters())); // what capture makes, without compiling
  expect(s.trainingBytes).toBe(step.ownBytes);
  expect(summary(net, [3, 1, 48, 48], { training: false }).trainingBytes).toBeUndefined();
  forward.dispose();
  step.dispose();
  net.dispose();
});

test("a module known under two names appears under its caller's, and counts once", async () => {
  const dev = await device();
  const net = new DynUNet(dev, {
    spatialDims: 2,
    inChannels: 1,
    outChannels: 2,
    kernelSize: [3, 3, 3],
    strides: [1, 2, 2],
    upsampleKernelSize: [2, 2],
    filters: [4, 6, 8],
    deepSupervision: true,
  });
  const s = summary(net, [1, 1, 16, 16]);
  const names = s.layers.map(({ name }) => name);
  expect(names).toContain("skip_layers.next_layer.upsample.transp_conv.conv");
  expect(names).not.toContain("input_block");
  expect(s.parameters).toBe(net.parameterCount);
  expect(s.flops).toBe(
    s.layers.filter(({ type }) => type.startsWith("Conv") && type !== "Convolution").reduce((n, l) => n + l.flops, 0),
  );
  net.dispose();
});

test("refusals", async () => {
  const dev = await device();
  expect(() => summary(new Activation((x) => x), [1])).toThrow(ConfigError);
  const net = new Conv(dev, { spatialDims: 2, inChannels: 1, outChannels: 1, kernelSize: 1 });
  expect(() => summary(net, [1, 2, 3, 4])).toThrow(ShapeError);
  expect(() => summary(net, [1, 1, 3, -4])).toThrow(ShapeError);
  expect(Object.hasOwn(net, "forward")).toBe(false);
  net.dispose();
});
