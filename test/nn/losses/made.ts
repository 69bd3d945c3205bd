/** @file The cases of losses that test/fixtures/make_losses.py stored: made inputs, called by MONAI's and nnU-Net's names, compared. */

import { expect, test } from "vitest";
import { type Device, grad, mul, scope, sum, tanh, type Tensor } from "../../../src/index.ts";
import * as nn from "../../../src/nn/index.ts";
import { expectClose } from "../../lib/compare.ts";
import { device } from "../../lib/device.ts";
import { readFixture } from "../../lib/fixture.ts";
import { camel } from "../../lib/names.ts";

export interface Stored {
  readonly id: string;
  readonly loss: string;
  readonly options: Record<string, any>;
  readonly shape: number[];
  readonly target: "index" | "float" | "onehot" | "binary" | "soft";
  readonly targetChannels?: number;
  readonly scale: number;
  readonly kind: "logits" | "probability";
  readonly mask?: number[];
  readonly more?: number[][];
  readonly out: { readonly shape: number[]; readonly data: number[] };
  readonly grads: number[][];
}

export const { cases } = readFixture<{ cases: Stored[] }>("losses.json");

export const array = (shape: readonly number[], f: (i: number) => number) => ({
  shape: [...shape],
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => f(i + 1)),
});
export const pattern = (i: number) => (7 * i + i * i) % 11;

function makeInput(gpu: Device, shape: number[], { scale, kind }: Stored): Tensor {
  const x = gpu.tensor(
    array(shape, (i) => (kind === "probability" ? 0.5 + 0.45 * Math.sin(2.3 * i + 0.7) : scale * Math.sin(2.3 * i + 0.7))),
  );
  x.requiresGrad = true;
  return x;
}

function makeTarget(gpu: Device, { target, shape, targetChannels }: Stored): Tensor {
  const channels = targetChannels ?? shape[1];
  const one = shape.with(1, 1);
  const inner = shape.slice(2).reduce((a, b) => a * b, 1);
  const label = (i: number) => pattern(i) % channels;
  switch (target) {
    case "index":
      return gpu.tensor(array(one, label), "i32");
    case "float":
      return gpu.tensor(array(one, label));
    case "binary":
      return gpu.tensor(array(shape.with(1, channels), (i) => pattern(i) % 2));
    case "soft":
      return gpu.tensor(array(shape, (i) => pattern(i) / 10));
    case "onehot":
      return gpu.tensor(
        array(shape, (i) => {
          const place = Math.floor((i - 1) / (inner * channels)) * inner + ((i - 1) % inner);
          return Number(label(place + 1) === Math.floor((i - 1) / inner) % channels);
        }),
      );
  }
}

/** nnU-Net's keyword arguments, regrouped. */
function nnunet(options: Record<string, any>): Record<string, any> {
  const { batchDice, doBg, smooth, ddp: _, weightCe, weightDice, ignoreLabel, useIgnoreLabel, ...ce } = options;
  const shared = { softDice: { batchDice, doBg, smooth }, weightCe, weightDice };
  return useIgnoreLabel === undefined ? { ...shared, ignoreLabel, ce } : { ...shared, useIgnoreLabel };
}

type Call = (x: Tensor, y: Tensor, options: any, mask: Tensor | undefined) => Tensor;

const calls: Record<string, Call> = {
  DiceLoss: nn.diceLoss,
  GeneralizedDiceLoss: nn.generalizedDiceLoss,
  TverskyLoss: nn.tverskyLoss,
  MaskedDiceLoss: (x, y, o, mask) => nn.maskedDiceLoss(x, y, { ...o, mask }),
  GeneralizedWassersteinDiceLoss: (x, y, { distMatrix, ...o }) => nn.generalizedWassersteinDiceLoss(x, y, distMatrix, o),
  DiceCELoss: nn.diceCELoss,
  DiceFocalLoss: nn.diceFocalLoss,
  GeneralizedDiceFocalLoss: nn.generalizedDiceFocalLoss,
  FocalLoss: nn.focalLoss,
  HausdorffDTLoss: nn.hausdorffDTLoss,
  LogHausdorffDTLoss: nn.logHausdorffDTLoss,
  AsymmetricUnifiedFocalLoss: nn.asymmetricUnifiedFocalLoss,
  SoftDiceLoss: (x, y, o, mask) => nn.softDiceLoss(x, y, { ...o, applyNonlin: "softmax", mask }),
  MemoryEfficientSoftDiceLoss: (x, y, o, mask) => nn.softDiceLoss(x, y, { ...o, applyNonlin: "softmax", mask }),
  DC_and_CE_loss: (x, y, o) => nn.dcAndCELoss(x, y, nnunet(o)),
  DC_and_topk_loss: (x, y, o) => nn.dcAndTopKLoss(x, y, nnunet(o)),
  DC_and_BCE_loss: (x, y, o) => nn.dcAndBCELoss(x, y, nnunet({ useIgnoreLabel: false, ...o })),
  TopKLoss: nn.topKLoss,
  RobustCrossEntropyLoss: nn.robustCrossEntropyLoss,
};

function run(gpu: Device, c: Stored): { loss: Tensor; gradients: Tensor[] } {
  const options = Object.fromEntries(Object.entries(c.options).flatMap(([k, v]) => (v === null ? [] : [[camel(k), v]])));
  if (options.otherAct === "tanh") options.otherAct = tanh;
  const inputs = [c.shape, ...(c.more ?? [])].map((shape) => makeInput(gpu, shape, c));
  const target = makeTarget(gpu, c);
  const mask = c.mask && gpu.tensor(array(c.mask, (i) => Number(pattern(i) % 3 > 0)));
  const loss = c.more
    ? nn.deepSupervisionLoss(inputs, target, (x, y) => nn.diceLoss(x, y, { sigmoid: true }), options)
    : calls[c.loss](inputs[0], target, options, mask);
  const probe = gpu.tensor({ ...array(loss.shape, (i) => Math.sin(0.53 * i + 1)), shape: loss.shape });
  return { loss, gradients: grad(sum(mul(loss, probe)), inputs) };
}

/** The first case of each loss: the others differ in options. */
export const isFirst = (c: Stored): boolean => cases.find((other) => other.loss === c.loss) === c;

export function testCases(list: readonly Stored[]): void {
  test.each<[string, Stored]>(list.map((c) => [`${c.id} ${JSON.stringify(c.options)}`, c]))("%s", async (_, c) => {
    const gpu = await device();
    const { loss, gradients } = scope(() => run(gpu, c));
    expect(loss.shape).toEqual(c.out.shape);
    // A loss near 0 is the difference of two numbers near 1.
    expectClose("loss", await loss.data(), c.out.data, 1e-5, 0.1);
    for (const [i, g] of gradients.entries()) expectClose(`gradient ${i}`, await g.data(), c.grads[i], 1e-4);
    for (const t of [loss, ...gradients]) t.dispose();
  });
}
