/** @file A loss that is not finite is traced to where it began. */

import { expect, test } from "vitest";
import { DataError, NonFiniteError } from "../../../src/index.ts";
import { Adam, diceLoss } from "../../../src/nn/index.ts";
import { firstNonFinite } from "../../../src/seg/training/diagnose.ts";
import { Trainer } from "../../../src/seg/training/trainer.ts";
import { UNet } from "../../../src/seg/networks/unet.ts";
import { device } from "../../lib/device.ts";

const options = { spatialDims: 2, inChannels: 1, outChannels: 1, channels: [4, 8, 8], strides: [2, 2], numResUnits: 1 } as const;
const size = 16;
const image = (fill = Number.NaN) => ({
  data: Float32Array.from({ length: size * size }, (_, i) => (i === 7 && !Number.isNaN(fill) ? fill : Math.sin(i))),
  shape: [1, 1, size, size],
});

test("firstNonFinite names the input, the weight or the innermost layer", async () => {
  const dev = await device();
  const net = new UNet(dev, options);
  expect(await firstNonFinite(dev, net, image())).toBeUndefined();
  expect(await firstNonFinite(dev, net, image(Number.POSITIVE_INFINITY))).toBe("the input batch (element 7 is Infinity)");
  const before = await net.stateDict();
  const name = "model.1.submodule.0.conv.unit0.conv.weight";
  const weight = before.get(name)!;
  const filled = (value: number) =>
    new Map(before).set(name, { data: new Float32Array(weight.data.length).fill(value), shape: weight.shape });
  net.loadStateDict(filled(Number.NaN));
  expect(await firstNonFinite(dev, net, image())).toBe(`the weight ${name}`);
  // Finite weights whose products overflow.
  net.loadStateDict(filled(3e38));
  expect(await firstNonFinite(dev, net, { ...image(), data: image().data.map((v) => 1e4 * v) })).toBe(
    "the output of model.1.submodule.0.conv.unit0.conv",
  );
  expect(Object.hasOwn(net, "forward")).toBe(false);
  net.dispose();
});

test("a trainer names the step whose labels are no classes", async () => {
  const dev = await device();
  const net = new UNet(dev, { ...options, outChannels: 2 });
  const trainer = new Trainer(dev, {
    model: net,
    optimizer: new Adam(net.parameters()),
    loss: (output, label) => diceLoss(output, label, { softmax: true, toOnehotY: true }),
  });
  const label = (gray: number) => ({ data: new Float32Array(size * size).fill(gray, 0, 5), shape: [1, 1, size, size] });
  async function* batches() {
    for (const gray of [1, 0, 63, 1]) yield { image: image(), label: label(gray) };
  }
  const run = trainer.epoch(batches());
  await expect(run).rejects.toThrow(DataError);
  await expect(run).rejects.toThrow(/^step 3: diceLoss: a class index is 63, outside of the 2 classes 0 to 1; map the labels/);
  trainer.dispose();
});

test("a trainer stops at the step and says where it began", async () => {
  const dev = await device();
  const net = new UNet(dev, options);
  const optimizer = new Adam(net.parameters());
  const trainer = new Trainer(dev, {
    model: net,
    optimizer,
    loss: (output, label) => diceLoss(output, label, { sigmoid: true }),
  });
  const label = { data: new Float32Array(size * size).fill(1), shape: [1, 1, size, size] };
  async function* batches() {
    yield { image: image(), label };
    yield { image: image(Number.NaN), label };
    yield { image: { ...image(), data: image().data.fill(Number.NaN, 3, 4) }, label };
    yield { image: image(), label };
  }
  const steps: number[] = [];
  const run = trainer.epoch(batches(), { onStep: ({ step }) => void steps.push(step) });
  await expect(run).rejects.toThrow(NonFiniteError);
  await expect(run).rejects.toThrow(/loss of step 3 is NaN; .* the input batch \(element 3 is NaN\)/);
  expect(steps).toEqual([1, 2]);
  trainer.dispose();
  optimizer.dispose();
  net.dispose();
});
