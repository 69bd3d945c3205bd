/** @file QuickNAT, its losses and weights against PyTorch. Fixture: make_quicknat_unet.py. */

import { expect, test } from "vitest";
import { ConfigError, DataError, type Device, grad, ShapeError, type Tensor } from "../../../src/index.ts";
import { medianFrequencyWeights } from "../../../src/data/index.ts";
import {
  Adam,
  batchDiceLoss,
  diceCoefficient,
  quickNatCombinedLoss,
  quickNatDiceLoss,
  quickNatFocalLoss,
  quickNatIoULoss,
} from "../../../src/nn/index.ts";
import { QuickNat } from "../../../src/seg/networks/quicknat.ts";
import { Trainer } from "../../../src/seg/training/trainer.ts";
import { device } from "../../lib/device.ts";
import { readFixture } from "../../lib/fixture.ts";
import { difference, expectNetwork, seeded, wave, type NetSpec, type Summary } from "./reference.ts";

const { nets, losses, views, defaults } = readFixture<any>("quicknat.json");

const quicknatOptions = (p: any) => ({
  outChannels: p.num_class,
  inChannels: p.num_channels,
  numFilters: p.num_filters,
  kernelH: p.kernel_h,
  kernelW: p.kernel_w,
  kernelC: p.kernel_c,
  seBlock: p.se_block,
  dropOut: p.drop_out,
});

for (const spec of nets as NetSpec[]) {
  test(`${spec.name} equals PyTorch's`, async () => {
    const dev = await device();
    const net = seeded(() => new QuickNat(dev, quicknatOptions(spec.args)));
    await expectNetwork(dev, spec, net);
    net.dispose();
  });
}

test("parameter counts in full size, and options that do not exist", async () => {
  const dev = await device();
  for (const [seBlock, count] of Object.entries(defaults)) {
    const net = new QuickNat(dev, { seBlock: seBlock as "CSSE" });
    expect(net.parameterCount).toBe(count);
    net.dispose();
  }
  expect(() => new QuickNat(dev, { seBlock: "None" as never })).toThrow(ConfigError);
  expect(() => new QuickNat(dev, { numFilters: 0 })).toThrow(/numFilters/);
  const net = new QuickNat(dev, { numFilters: 2 });
  expect(() => net.forward(dev.empty([1, 1, 12, 32]))).toThrow(ShapeError);
  expect(() => net.forward(dev.empty([1, 2, 32, 32]))).toThrow(/1 channels/);
  net.dispose();
});

test("a Trainer trains it, unused layer and dropout included", async () => {
  const dev = await device();
  const model = seeded(() => new QuickNat(dev, { numFilters: 4, outChannels: 2, kernelH: 3, kernelW: 3 }));
  const optimizer = new Adam(model.parameters(), { lr: 1e-2 });
  const loss = (y: Tensor, t: Tensor) => quickNatCombinedLoss(y, t);
  const trainer = new Trainer(dev, { model, optimizer, loss });
  const image = wave([2, 1, 16, 16], 1, 0.3, 0);
  const label = { data: Int32Array.from(image.data, (v) => (v > 0 ? 1 : 0)), shape: [2, 16, 16] };
  const seen: number[] = [];
  const batches = (async function* () {
    for (let i = 0; i < 12; i++) yield { image, label };
  })();
  await trainer.epoch(batches as never, { onStep: ({ loss: value }) => void seen.push(value) });
  expect(seen.at(-1)!).toBeLessThan(0.8 * seen[0]);
  trainer.dispose();
  optimizer.dispose();
  model.dispose();
});

const inputs = (dev: Device) => {
  const x = dev.tensor(wave([3, 4, 5, 6], 2, 0.7, 0.4));
  x.requiresGrad = true;
  const labels = dev.tensor({ data: Int32Array.from(losses.labels as number[]), shape: [3, 5, 6] }, "i32");
  return { x, labels, weight: dev.tensor(wave([3, 5, 6], 1, 0.9, 0.1, 1.5)), weights: losses.per_class as number[] };
};
type Inputs = ReturnType<typeof inputs>;
const calls: Record<string, (i: Inputs) => Tensor> = {
  combined: ({ x, labels }) => quickNatCombinedLoss(x, labels, { compat: "quicknat" }),
  "combined weight": ({ x, labels, weight }) => quickNatCombinedLoss(x, labels, { compat: "quicknat", weight }),
  dice: ({ x, labels }) => quickNatDiceLoss(x, labels, { compat: "quicknat" }),
  "dice weights": ({ x, labels, weights }) => quickNatDiceLoss(x, labels, { compat: "quicknat", weights }),
  iou: ({ x, labels }) => quickNatIoULoss(x, labels),
  "iou weights ignore": ({ x, labels, weights }) => quickNatIoULoss(x, labels, { weights, ignoreIndex: 1 }),
  focal: ({ x, labels }) => quickNatFocalLoss(x, labels, { compat: "quicknat" }),
  "focal alpha sum": ({ x, labels, weights }) =>
    quickNatFocalLoss(x, labels, { gamma: 1.5, alpha: weights, sizeAverage: false, compat: "quicknat" }),
};

test("losses and their gradients equal nn-common-modules' in compat mode", async () => {
  const dev = await device();
  expect(Object.keys(calls)).toEqual(Object.keys(losses.cases));
  for (const [name, call] of Object.entries(calls)) {
    const all = inputs(dev);
    const want = losses.cases[name] as { loss: number; grad: Summary };
    const loss = call(all);
    expect(Math.abs((await loss.item()) - want.loss) / want.loss, name).toBeLessThan(1e-5);
    expect(await difference(grad(loss, [all.x])[0], want.grad), name).toBeLessThan(1e-4);
  }
  const one = dev.tensor(wave([2, 1, 3, 4], 1, 0.7, 0.4));
  const mask = dev.tensor({ data: Float32Array.from({ length: 24 }, (_, i) => (i % 5 > 2 ? 1 : 0)), shape: [2, 3, 4] });
  expect(await quickNatDiceLoss(one, mask, { binary: true, compat: "quicknat" }).item()).toBeCloseTo(losses.binary, 5);
});

test("corrected losses: one softmax, a gradient through the focal factor, a binary Dice that depends on its input", async () => {
  const dev = await device();
  const { x, labels } = inputs(dev);
  const logits = Array.from(await x.data());
  const target = losses.labels as number[];
  // Float64 on the host: N = 3, C = 4, 30 positions.
  const p = (n: number, c: number, i: number) => {
    const e = [0, 1, 2, 3].map((k) => Math.exp(logits[(n * 4 + k) * 30 + i]));
    return e[c] / e.reduce((a, b) => a + b);
  };
  let dice = 0;
  for (let n = 0; n < 3; n++)
    for (let c = 0; c < 4; c++) {
      let [overlap, total] = [0, 0];
      for (let i = 0; i < 30; i++) {
        const hit = target[n * 30 + i] === c ? 1 : 0;
        overlap += hit * p(n, c, i);
        total += hit + p(n, c, i);
      }
      dice += (1 - (2 * overlap) / (total + 1e-4)) / 12;
    }
  expect(await quickNatDiceLoss(x, labels).item()).toBeCloseTo(dice, 5);
  const focal = quickNatFocalLoss(x, labels);
  expect(await focal.item()).toBeCloseTo(await quickNatFocalLoss(x, labels, { compat: "quicknat" }).item(), 6);
  const slope = await grad(focal, [x])[0].data();
  const t = target[0];
  const [pt, factor] = [p(0, t, 0), p(0, t, 0) - 1];
  // d/dx_t of −(1−p)² log p, with dp/dx_t = p (1 − p), over 90 positions.
  const expected = (2 * (1 - pt) * Math.log(pt) - factor ** 2 / pt) * pt * (1 - pt);
  expect(slope[t * 30]).toBeCloseTo(expected / 90, 6);
  const sure = dev.tensor({ data: Float32Array.of(60, -60), shape: [1, 2, 1] });
  sure.requiresGrad = true;
  const certain = quickNatFocalLoss(sure, dev.tensor({ data: Int32Array.of(0), shape: [1, 1] }, "i32"), { gamma: 0.5 });
  expect(Array.from(await grad(certain, [sure])[0].data()).map(Math.abs)).toEqual([0, 0]);
  const low = dev.tensor({ data: new Float32Array(8).fill(-4), shape: [2, 1, 2, 2] });
  const mask = dev.tensor({ data: new Float32Array(8).fill(1), shape: [2, 2, 2] });
  expect(await quickNatDiceLoss(low, mask, { binary: true }).item()).toBeGreaterThan(0.9);
});

test("milesial's Dice", async () => {
  const dev = await device();
  const [p, t] = [wave([3, 4, 5, 6], 2, 0.7, 0.4).data, wave([3, 4, 5, 6], 1, 0.31, 0.2).data];
  const probability = Float32Array.from(p, (v) => 1 / (1 + Math.exp(-v)));
  const mask = Float32Array.from(t, (v, i) => (v > 0.3 && Math.floor(i / 30) !== 6 ? 1 : 0));
  // The first channel of each of the three images.
  const first = (data: Float32Array) => ({ data: data.filter((_, i) => Math.floor(i / 30) % 4 === 0), shape: [3, 5, 6] });
  const [x, y] = [dev.tensor(first(probability)), dev.tensor(first(mask))];
  const want = losses.milesial;
  expect(await diceCoefficient(x, y).item()).toBeCloseTo(want.coeff, 5);
  expect(await batchDiceLoss(x, y).item()).toBeCloseTo(want.loss, 5);
  const image = (data: Float32Array) => dev.tensor({ data: data.slice(0, 30), shape: [5, 6] });
  expect(await diceCoefficient(image(probability), image(mask)).item()).toBeCloseTo(want.image, 5);
  const [all, masks] = [probability, mask].map((data) => dev.tensor({ data, shape: [3, 4, 5, 6] }));
  expect(await batchDiceLoss(all, masks, { multiclass: true }).item()).toBeCloseTo(want.multiclass, 5);
  const nothing = dev.tensor({ data: new Float32Array(18), shape: [2, 3, 3] });
  expect(await diceCoefficient(nothing, nothing).item()).toBe(want.empty);
  expect(() => diceCoefficient(x, all)).toThrow(ShapeError);
  expect(() => diceCoefficient(image(p), image(p), { reduceBatchFirst: true })).toThrow(/\[N, H, W\]/);
});

test("losses name what does not fit", async () => {
  const dev = await device();
  const { x, labels, weight } = inputs(dev);
  expect(() => quickNatDiceLoss(x, weight.view([3, 30]))).toThrow(/class indices \[3, 5, 6\]/);
  expect(() => quickNatDiceLoss(x, labels, { weights: [1, 2] })).toThrow(/4 entries/);
  expect(() => quickNatFocalLoss(x, labels, { alpha: 0.25 })).toThrow(/2 classes, the input has 4/);
  expect(() => quickNatCombinedLoss(x, labels, { weight: weight.view([90]) })).toThrow(/shape of the target/);
  expect(() => quickNatDiceLoss(x, labels, { binary: true })).toThrow(/\[N, 1/);
});

test("median-frequency weights: the original's numbers, and the corrected ones", () => {
  const { mfb } = views;
  const labels = { data: Uint8Array.from(mfb.labels as number[]), shape: [3, 4, 5] };
  const compat = medianFrequencyWeights(labels, { compat: "quicknat" });
  expect(Array.from(compat.weights.data)).toEqual(mfb.weights);
  expect(Array.from(compat.classWeights.data)).toEqual(mfb.classes);
  // Three of class 0, one of class 1: the median count is 2.
  const slice = { data: Uint8Array.of(0, 0, 0, 1), shape: [1, 1, 4] };
  const { weights, classWeights } = medianFrequencyWeights(slice, { numClasses: 3 });
  expect(Array.from(classWeights.data)).toEqual([Math.fround(2 / 3), 2, 0]);
  expect(Array.from(weights.data)).toEqual([2 / 3, 2 / 3, 2 / 3 + 2, 4].map(Math.fround));
  expect(Array.from(medianFrequencyWeights(slice, { edgeWeight: 0 }).weights.data)).toEqual(
    [2 / 3, 2 / 3, 2 / 3, 2].map(Math.fround),
  );
  expect(() => medianFrequencyWeights(slice, { numClasses: 1 })).toThrow(DataError);
  expect(() => medianFrequencyWeights({ ...slice, shape: [4] })).toThrow(ShapeError);
});
