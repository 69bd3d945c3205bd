/** @file Losses of center lines, calibrated logits and masked tensors; losses and some of their gradients are MONAI's. */
import { describe, expect, test } from "vitest";
import { grad, scope, type Tensor } from "../../../src/index.ts";
import * as nn from "../../../src/nn/index.ts";
import { device } from "../../lib/device.ts";
import { array, pattern } from "./made.ts";

const plane = [1, 2, 5, 6];
const volume = [1, 3, 4, 5, 3];
const wave = (i: number): number => 0.5 + 0.45 * Math.sin(2.3 * i + 0.7);

interface Row {
  readonly shape: number[];
  readonly call: (x: Tensor, y: Tensor) => Tensor;
  readonly loss: number;
  readonly at: number[];
  readonly grads: number[];
}

async function compare(c: Row, x: (i: number) => number, target: ReturnType<typeof array>): Promise<void> {
  const gpu = await device();
  const { loss, dx } = scope(() => {
    const input = gpu.tensor(array(c.shape, x));
    input.requiresGrad = true;
    const value = c.call(input, gpu.tensor(target));
    return { loss: value, dx: grad(value, [input])[0] };
  });
  expect(await loss.item()).toBeCloseTo(c.loss, 4);
  const found = await dx.data();
  c.at.forEach((at, i) => expect(found[at]).toBeCloseTo(c.grads[i], 4));
  loss.dispose();
  dx.dispose();
}

const lines = { iter: 2 };
const both = { iter: 1, alpha: 0.3, smooth: 0.5 };
const gaussian = { kernelOps: "gaussian", distanceType: "l2", alpha: 0.4, sigma: 0.7 } as const;

describe("center lines", () => {
  const cl = (x: Tensor, y: Tensor): Tensor => nn.softclDiceLoss(x, y, lines);
  const dcl = (x: Tensor, y: Tensor): Tensor => nn.softDiceclDiceLoss(x, y, both);
  test.each<[string, Row]>([
    ["softclDiceLoss 2-D", { shape: plane, call: cl, loss: 0.48973411321640015, at: [30, 33, 58], grads: [0.018032977357506752, -0.01177954487502575, 0.01177954487502575] }], // prettier-ignore
    ["softDiceclDiceLoss 2-D", { shape: plane, call: dcl, loss: 0.4897650480270386, at: [30, 33, 58], grads: [0.015884559601545334, -0.03374619409441948, 0.014308810234069824] }], // prettier-ignore
    ["softclDiceLoss 3-D", { shape: volume, call: cl, loss: 0.3293444514274597, at: [20, 93, 178], grads: [0, 0.006570928264409304, 0.005797570571303368] }], // prettier-ignore
    ["softDiceclDiceLoss 3-D", { shape: volume, call: dcl, loss: 0.3419668674468994, at: [20, 93, 178], grads: [0, 0.005356434732675552, -0.005081450566649437] }], // prettier-ignore
  ])("%s", async (_, c) =>
    compare(
      c,
      wave,
      array(c.shape, (i) => Number(pattern(i) > 4)),
    ),
  );
});

describe("naclLoss", () => {
  const mean = (x: Tensor, y: Tensor): Tensor => nn.naclLoss(x, y);
  const smooth = (x: Tensor, y: Tensor): Tensor => nn.naclLoss(x, y, gaussian);
  test.each<[string, Row]>([
    ["mean 2-D", { shape: plane, call: mean, loss: 0.8276122808456421, at: [0, 7, 58], grads: [-0.020018111914396286, -0.016646500676870346, 0.015345556661486626] }], // prettier-ignore
    ["gaussian 2-D", { shape: plane, call: smooth, loss: 1.4344556331634521, at: [0, 7, 58], grads: [-0.021006828173995018, -0.017868338152766228, -0.008706865832209587] }], // prettier-ignore
    ["mean 3-D", { shape: volume, call: mean, loss: 1.2643629312515259, at: [0, 7, 178], grads: [0.0041473424062132835, 0.00847663078457117, 0.006190602667629719] }], // prettier-ignore
    ["gaussian 3-D", { shape: volume, call: smooth, loss: 1.818367838859558, at: [0, 7, 178], grads: [0.004439984448254108, 0.009271921589970589, -0.0003382456488907337] }], // prettier-ignore
  ])("%s", async (_, c) => {
    const classes = c.shape[1];
    await compare(
      c,
      (i) => 4 * wave(i) - 2,
      array(c.shape.toSpliced(1, 1), (i) => pattern(i) % classes),
    );
  });
});

test("maskedLoss of any loss", async () => {
  const gpu = await device();
  const value = scope(() => {
    const x = gpu.tensor(array(plane, wave));
    const y = gpu.tensor(array(plane, (i) => Number(pattern(i) > 4)));
    const mask = gpu.tensor(array([1, 1, 5, 6], (i) => Number(pattern(i) % 3 > 0)));
    return nn.maskedLoss(x, y, mask, (a, b) => nn.tverskyLoss(a, b));
  });
  expect(await value.item()).toBeCloseTo(0.5044006109237671, 5);
  value.dispose();
});

describe("they refuse", () => {
  test.each<[string, (z: (...shape: number[]) => Tensor) => unknown, RegExp]>([
    ["one channel", (z) => nn.softclDiceLoss(z(1, 1, 3, 3), z(1, 1, 3, 3)), /two channels are needed/],
    ["other shapes", (z) => nn.softDiceclDiceLoss(z(1, 2, 3, 3), z(1, 1, 3, 3)), /alike/],
    ["a share of a step", (z) => nn.softclDiceLoss(z(1, 2, 3, 3), z(1, 2, 3, 3), { iter: 0.5 }), /iter must be an integer/],
    ["a target with channels", (z) => nn.naclLoss(z(1, 2, 3, 3), z(1, 1, 3, 3)), /the same without C/],
    ["an even kernel", (z) => nn.naclLoss(z(1, 2, 3, 3), z(1, 3, 3), { kernelSize: 2 }), /must be odd/],
    ["another distance", (z) => nn.naclLoss(z(1, 2, 3, 3), z(1, 3, 3), { distanceType: "L1" as "l1" }), /"l1" or "l2"/],
    [
      "a mask of channels",
      (z) => nn.maskedLoss(z(1, 2, 3), z(1, 2, 3), z(1, 2, 3), (a, b) => nn.diceLoss(a, b)),
      /mask must be \[N or 1, 1/,
    ],
  ])("%s", async (_, run, why) => {
    const gpu = await device();
    const z = (...shape: number[]): Tensor => gpu.tensor(array(shape, () => 1));
    scope(() => {
      expect(() => run(z)).toThrow(why);
    });
  });
});
