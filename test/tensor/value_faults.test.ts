/** @file A class index that no class has is an error of the next read-back: told once, by the operation's name, eagerly and in captured steps. */

import { describe, expect, test } from "vitest";
import {
  capture,
  conv,
  DataError,
  type Device,
  grad,
  oneHot,
  parameter,
  regionSums,
  sizeOf,
  type Tensor,
} from "../../src/index.ts";
import * as nn from "../../src/nn/index.ts";
import { device } from "../lib/device.ts";
import { seeded } from "../lib/row.ts";

type Loss = (x: Tensor, target: Tensor) => Tensor;

const randn = (dev: Device, shape: readonly number[]): Tensor => {
  const random = seeded("value faults");
  return dev.tensor({ data: Float32Array.from({ length: sizeOf(shape) }, () => random() - 0.5), shape });
};
const flat = (t: Tensor): Tensor => t.view([2, 4, 4]);
const toOnehotY = true;
const distances = [0, 1, 2].map((a) => [0, 1, 2].map((b) => Math.abs(a - b)));

/** Of logits `[2, 3, 4, 4]` and class indices `[2, 1, 4, 4]`. */
const losses: Record<string, Loss> = {
  crossEntropyLoss: (x, t) => nn.crossEntropyLoss(x, flat(t)),
  "crossEntropyLoss none": (x, t) => nn.crossEntropyLoss(x, flat(t), { reduction: "none" }),
  focalLoss: (x, t) => nn.focalLoss(x, t, { toOnehotY }),
  "focalLoss without background": (x, t) => nn.focalLoss(x, t, { toOnehotY, useSoftmax: true, includeBackground: false }),
  diceLoss: (x, t) => nn.diceLoss(x, t, { toOnehotY, softmax: true }),
  maskedDiceLoss: (x, t) => nn.maskedDiceLoss(x, t, { toOnehotY, sigmoid: true }),
  tverskyLoss: (x, t) => nn.tverskyLoss(x, t, { toOnehotY, softmax: true }),
  generalizedDiceLoss: (x, t) => nn.generalizedDiceLoss(x, t, { toOnehotY, softmax: true }),
  diceCELoss: (x, t) => nn.diceCELoss(x, t, { toOnehotY, softmax: true }),
  diceFocalLoss: (x, t) => nn.diceFocalLoss(x, t, { toOnehotY, softmax: true }),
  generalizedDiceFocalLoss: (x, t) => nn.generalizedDiceFocalLoss(x, t, { toOnehotY, softmax: true }),
  generalizedWassersteinDiceLoss: (x, t) => nn.generalizedWassersteinDiceLoss(x, flat(t), distances),
  hausdorffDTLoss: (x, t) => nn.hausdorffDTLoss(x, t, { toOnehotY, softmax: true }),
  softDiceLoss: (x, t) => nn.softDiceLoss(x, t, { applyNonlin: "softmax" }),
  robustCrossEntropyLoss: (x, t) => nn.robustCrossEntropyLoss(x, t),
  topKLoss: (x, t) => nn.topKLoss(x, t),
  dcAndCELoss: (x, t) => nn.dcAndCELoss(x, t),
  dcAndTopKLoss: (x, t) => nn.dcAndTopKLoss(x, t),
  quickNatDiceLoss: (x, t) => nn.quickNatDiceLoss(x, flat(t)),
  quickNatIoULoss: (x, t) => nn.quickNatIoULoss(x, flat(t)),
  quickNatFocalLoss: (x, t) => nn.quickNatFocalLoss(x, flat(t)),
  quickNatCombinedLoss: (x, t) => nn.quickNatCombinedLoss(x, flat(t)),
  regionSums: (x, t) => regionSums(x, t, { indexTarget: true }),
  oneHot: (_, t) => oneHot(t, 3),
};

/** Class indices, all 0 but for one. */
const labels = (dev: Device, odd: number, dtype: "f32" | "i32" | "u32" = "i32"): Tensor => {
  const data = new Array<number>(32).fill(0);
  data[21] = odd;
  return dev.tensor({ data, shape: [2, 1, 4, 4] }, dtype);
};

describe("class indices outside of the classes", async () => {
  const dev = await device();
  const logits = randn(dev, [2, 3, 4, 4]);

  test.each(Object.keys(losses))("%s: 3 of 3 classes, 255 and -1", async (name) => {
    for (const odd of [255, -1, 3]) {
      const dtype = odd === 3 ? "f32" : "i32";
      const found = losses[name](logits, labels(dev, odd, dtype)).data();
      await expect(found).rejects.toThrow(DataError);
      await expect(found).rejects.toThrow(new RegExp(`^\\w+: a class index is ${odd}, outside of the 3 classes 0 to 2`));
    }
    // Told once, and the last class is none of them.
    await losses[name](logits, labels(dev, 2)).data();
  });

  test.each(Object.keys(losses))("%s: what interpolation left of class numbers, and not what rounding did", async (name) => {
    for (const odd of [0.5, 1.75, 0.01, -0.25])
      await expect(losses[name](logits, labels(dev, odd, "f32")).data()).rejects.toThrow(
        /a class index is no whole number: labels/,
      );
    const [exact, rounded] = [1, 0.9999].map((odd) => losses[name](logits, labels(dev, odd, "f32")).data());
    expect(await rounded).toEqual(await exact);
  });

  test("NaN is no class either, and the most negative value is named", async () => {
    await expect(oneHot(labels(dev, NaN, "f32"), 3).data()).rejects.toThrow(/class index is NaN/);
    await expect(oneHot(labels(dev, 4000000000, "u32"), 3).data()).rejects.toThrow(/outside of the 3 classes/);
  });

  test("what is ignored may be outside, other values may not", async () => {
    const t = labels(dev, 255);
    const options = { toOnehotY, softmax: true, ignoreIndex: 255 };
    for (const loss of [
      nn.crossEntropyLoss(logits, flat(t), { ignoreIndex: 255 }),
      nn.crossEntropyLoss(logits, flat(labels(dev, -100))),
      nn.focalLoss(logits, t, { toOnehotY, ignoreIndex: 255 }),
      nn.diceLoss(logits, t, options),
      nn.diceCELoss(logits, t, options),
      nn.generalizedDiceFocalLoss(logits, t, options),
      nn.dcAndCELoss(logits, t, { ignoreLabel: 255 }),
      nn.quickNatIoULoss(logits, flat(t), { ignoreIndex: 255 }),
      oneHot(t, 3, { ignoreIndex: 255 }),
      // Masked: the position counts for nothing.
      regionSums(logits, t, { indexTarget: true, mask: dev.tensor({ data: new Float32Array(32), shape: [2, 1, 4, 4] }) }),
    ]) {
      expect((await loss.data()).every(Number.isFinite)).toBe(true);
    }
    await expect(nn.diceLoss(logits, labels(dev, 254), options).data()).rejects.toThrow(
      /254, outside of the 3 classes 0 to 2 and 255, which is ignored/,
    );
  });

  test("what is ignored has no part in loss and gradient", async () => {
    const whole = parameter(randn(dev, [1, 3, 4, 4]));
    const part = parameter(
      dev.tensor({ data: (await whole.data()).filter((_, i) => i % 16 < 12) as Float32Array, shape: [1, 3, 3, 4] }),
    );
    const classes = Array.from({ length: 16 }, (_, i) => (i < 12 ? i % 3 : 255));
    const target = dev.tensor({ data: classes, shape: [1, 1, 4, 4] }, "i32");
    const counted = dev.tensor({ data: classes.slice(0, 12), shape: [1, 1, 3, 4] }, "i32");
    for (const loss of [nn.diceLoss, nn.diceCELoss, nn.focalLoss, nn.generalizedDiceLoss]) {
      const options = { toOnehotY, ...(loss === nn.focalLoss ? {} : { softmax: true }) };
      const [a, b] = [loss(whole, target, { ...options, ignoreIndex: 255 }), loss(part, counted, options)];
      expect(await a.item()).toBeCloseTo(await b.item(), 5);
      const [da, db] = [await grad(a, [whole])[0].data(), await grad(b, [part])[0].data()];
      const kept = [...da].filter((_, i) => i % 16 < 12);
      kept.forEach((v, i) => expect(v).toBeCloseTo(db[i], 5));
      expect([...da].filter((_, i) => i % 16 >= 12).every((v) => v === 0)).toBe(true);
    }
  });

  test("a replayed step tells the call whose labels were wrong, and the steps after it go on", async () => {
    const w = parameter(randn(dev, [3, 3, 1, 1]));
    const optimizer = new nn.SGD([w], { lr: 0.01 });
    const step = capture(dev, (target: Tensor) => {
      const loss = nn.diceCELoss(conv(logits, w), target, { toOnehotY, softmax: true });
      optimizer.step(grad(loss, [w]));
      return loss;
    });
    const call = (odd: number) => step(labels(dev, odd)).item();
    await call(2);
    await expect(call(255)).rejects.toThrow(/^(diceLoss|crossEntropyLoss): a class index is 255/);
    expect(await call(1)).toBeGreaterThan(0);
    // Read late, and in the order of the calls.
    const results = await Promise.allSettled([call(0), call(-1), call(2)]);
    expect(results.map((r) => r.status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    step.dispose();
  });

  test("settle tells it too, and a reader of something else", async () => {
    nn.crossEntropyLoss(logits, flat(labels(dev, 7)));
    await expect(dev.settle()).rejects.toThrow(/crossEntropyLoss: a class index is 7/);
    await dev.settle();
    nn.crossEntropyLoss(logits, flat(labels(dev, 7)));
    await expect(logits.data()).rejects.toThrow(DataError);
    expect((await logits.data()).length).toBe(96);
  });
});
