/** @file Losses against MONAI and nnU-Net: values and gradients of the cases that test/fixtures/make_losses.py stored; and that they are fused. */

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  capture,
  type Device,
  full,
  grad,
  mul,
  oneHot,
  regionSums,
  scope,
  softmax,
  sum,
  tanh,
  type Tensor,
} from "../../../src/index.ts";
import * as nn from "../../../src/nn/index.ts";
import { expectClose } from "../../lib/compare.ts";
import { device } from "../../lib/device.ts";

interface Stored {
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

const file = JSON.parse(readFileSync(new URL("../../fixtures/losses.json", import.meta.url), "utf8"));
const cases: Stored[] = file.cases;

const camel = (name: string) => name.replace(/_(\w)/g, (_, c: string) => c.toUpperCase());
const array = (shape: readonly number[], f: (i: number) => number) => ({
  shape: [...shape],
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => f(i + 1)),
});
const pattern = (i: number) => (7 * i + i * i) % 11;

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
  return { softDice: { batchDice, doBg, smooth }, weightCe, weightDice, ignoreLabel, useIgnoreLabel, ce };
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
  DC_and_BCE_loss: (x, y, o) => nn.dcAndBCELoss(x, y, nnunet(o)),
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

describe("losses against MONAI and nnU-Net", () => {
  test.each<[string, Stored]>(cases.map((c) => [`${c.id} ${JSON.stringify(c.options)}`, c]))("%s", async (_, c) => {
    const gpu = await device();
    const { loss, gradients } = scope(() => run(gpu, c));
    expect(loss.shape).toEqual(c.out.shape);
    // A loss near 0 is the difference of two numbers near 1.
    expectClose("loss", await loss.data(), c.out.data, 1e-5, 0.1);
    for (const [i, g] of gradients.entries()) expectClose(`gradient ${i}`, await g.data(), c.grads[i], 1e-4);
    for (const t of [loss, ...gradients]) t.dispose();
  });
});

describe("losses are fused", () => {
  const shape = [1, 6, 32, 32];
  const labels = shape.with(1, 1);
  const index = { toOnehotY: true } as const;

  /** Memory of a step in sizes of the logits. */
  async function peak(call: (x: Tensor, y: Tensor) => Tensor): Promise<number> {
    const gpu = await device();
    const step = capture(gpu, (x: Tensor, y: Tensor) => {
      x.requiresGrad = true;
      const loss = call(x, y);
      return { loss, dx: grad(loss, [x])[0] };
    });
    const plan = await step.prepare([array(shape, Math.sin), array(labels, (i) => i % 6)]);
    step.dispose();
    return plan.peakBytes / (4 * 6 * 32 * 32);
  }

  // Logits and their gradient, a sixth for the labels, and what is small: sums per class, chunks. Two losses make two gradients and their sum.
  test.each<[string, (x: Tensor, y: Tensor) => Tensor, number]>([
    ["diceLoss", (x, y) => nn.diceLoss(x, y, { ...index, softmax: true }), 2.5],
    ["tverskyLoss", (x, y) => nn.tverskyLoss(x, y, { ...index, softmax: true }), 2.5],
    ["generalizedDiceLoss", (x, y) => nn.generalizedDiceLoss(x, y, { ...index, softmax: true }), 2.5],
    ["focalLoss with sigmoid", (x, y) => nn.focalLoss(x, y, index), 2.5],
    ["focalLoss with softmax", (x, y) => nn.focalLoss(x, y, { ...index, useSoftmax: true }), 2.5],
    ["diceCELoss", (x, y) => nn.diceCELoss(x, y, { ...index, softmax: true }), 4.5],
    ["diceFocalLoss", (x, y) => nn.diceFocalLoss(x, y, { ...index, softmax: true }), 4.5],
    ["dcAndCELoss", (x, y) => nn.dcAndCELoss(x, y, { ignoreLabel: 5 }), 4.5],
  ])("%s stores neither softmax nor one-hot", async (_, call, most) => {
    expect(await peak(call)).toBeLessThan(most);
  });

  test("what stores them would show", async () => {
    const composed = (x: Tensor, y: Tensor) => sum(mul(softmax(x, 1), oneHot(y, 6)));
    expect(await peak(composed)).toBeGreaterThan(4.5);
  });
});

test("losses/more workgroups than one dimension of a grid has", async () => {
  const gpu = await device();
  const count = 65_536;
  const sums = scope(() => {
    const x = gpu.tensor(array([count, 1, 1], (i) => i % 17));
    return regionSums(x, x);
  });
  const expected = Array.from({ length: 3 * count }, (_, k) => (((k % count) + 1) % 17) ** (k < count ? 2 : 1));
  expectClose("sums", await sums.data(), expected, 0);
  sums.dispose();
});

test("losses/sums of 16,777,216 positions keep their digits", async () => {
  const gpu = await device();
  const shape = [1, 1, 256, 256, 256];
  const [sums, loss] = scope(() => {
    const x = full(gpu, shape, 0.7);
    const y = full(gpu, shape, 1);
    return [regionSums(x, y, { activation: "sigmoid" }), nn.focalLoss(x, y)];
  });
  const q = 1 / (1 + Math.exp(-Math.fround(0.7)));
  expectClose("sums", await sums.data(), [q * 2 ** 24, q * 2 ** 24, 2 ** 24], 1e-6);
  expectClose("focal loss", await loss.data(), [-((1 - q) ** 2) * Math.log(q)], 1e-6);
  sums.dispose();
  loss.dispose();
});

describe("losses refuse", () => {
  const rows: [string, (z: (...shape: number[]) => Tensor) => unknown, RegExp][] = [
    ["two activations", (z) => nn.diceLoss(z(1, 2, 3), z(1, 2, 3), { sigmoid: true, softmax: true }), /at most one/],
    ["a reduction", (z) => nn.tverskyLoss(z(1, 2, 3), z(1, 2, 3), { reduction: "avg" as "sum" }), /^tverskyLoss: reduction/],
    ["class weights", (z) => nn.diceLoss(z(1, 2, 3), z(1, 2, 3), { weight: [1, 2, 3] }), /must have 2 entries/],
    ["negative class weights", (z) => nn.diceLoss(z(1, 2, 3), z(1, 2, 3), { weight: -1 }), /must not be negative/],
    ["a mask of channels", (z) => nn.maskedDiceLoss(z(1, 2, 3), z(1, 2, 3), { mask: z(1, 2, 3) }), /mask \[1, 2, 3\]/],
    ["a weight type", (z) => nn.generalizedDiceLoss(z(1, 2, 3), z(1, 2, 3), { wType: "cube" as "square" }), /wType/],
    ["ranks", (z) => nn.diceCELoss(z(1, 2, 3), z(1, 3)), /^diceCELoss: target \[1, 3\]/],
    ["channels", (z) => nn.diceFocalLoss(z(1, 3, 3), z(1, 2, 3)), /^diceFocalLoss: target \[1, 2, 3\]/],
    ["a negative factor", (z) => nn.diceFocalLoss(z(1, 3, 3), z(1, 3, 3), { lambdaFocal: -1 }), /lambdaFocal must not/],
    ["no reduction", (z) => nn.diceCELoss(z(1, 2, 3), z(1, 2, 3), { reduction: "none" as "sum" }), /^diceCELoss: reduction/],
    ["a Hausdorff loss of lines", (z) => nn.hausdorffDTLoss(z(1, 2, 3), z(1, 2, 3)), /must be \[N, C, H, W\]/],
    ...[nn.dcAndCELoss, nn.dcAndTopKLoss].map((loss): (typeof rows)[number] => [
      `${loss.name} of nothing`,
      (z) => loss(z(1, 2, 3), z(1, 1, 3), { weightCe: 0, weightDice: 0 }),
      new RegExp(`^${loss.name}: weightCe and weightDice are both 0`),
    ]),
    [
      "dcAndBCELoss of nothing",
      (z) => nn.dcAndBCELoss(z(1, 2, 3), z(1, 2, 3), { weightCe: 0, weightDice: 0 }),
      /^dcAndBCELoss: weightCe and weightDice are both 0/,
    ],
    [
      "to be like something unknown",
      (z) => nn.hausdorffDTLoss(z(1, 2, 3, 3), z(1, 2, 3, 3), { compat: true as unknown as "monai" }),
      /^hausdorffDTLoss: compat must be "monai" or left out, got true/,
    ],
    ["distances", (z) => nn.generalizedWassersteinDiceLoss(z(1, 2, 3), z(1, 3), [[0, 1]]), /2 rows of 2/],
    [
      "a weighting mode",
      (z) =>
        nn.generalizedWassersteinDiceLoss(
          z(1, 2, 3),
          z(1, 3),
          [
            [0, 1],
            [1, 0],
          ],
          { weightingMode: "x" as "GDL" },
        ),
      /weightingMode/,
    ],
    ["more than two classes", (z) => nn.asymmetricUnifiedFocalLoss(z(1, 3, 2, 2), z(1, 3, 2, 2)), /must be \[N, 2, H, W\]/],
    [
      "class indices beside channels",
      (z) => nn.asymmetricUnifiedFocalLoss(z(1, 2, 2, 2), z(1, 1, 2, 2)),
      /^asymmetricUnifiedFocalLoss: target \[1, 1, 2, 2\] must have the shape of the input/,
    ],
    [
      "the name of a function",
      (z) => nn.hausdorffDTLoss(z(1, 2, 2, 2), z(1, 2, 2, 2), { otherAct: "tanh" as never }),
      /otherAct must be a function/,
    ],
    ["a missing reduction", (z) => nn.diceLoss(z(1, 2, 3), z(1, 2, 3), { reduction: null as never }), /^diceLoss: reduction/],
    [
      "a level mode",
      (z) => nn.deepSupervisionLoss([z(1, 1, 2)], z(1, 1, 2), nn.diceLoss, { weightMode: "x" as "exp" }),
      /weightMode/,
    ],
    ["no output", (z) => nn.deepSupervisionLoss([], z(1, 1, 2), nn.diceLoss), /no output/],
    ["one-hot labels for nnU-Net", (z) => nn.dcAndCELoss(z(1, 2, 3), z(1, 2, 3)), /^dcAndCELoss: target/],
    ["less than one position", (z) => nn.topKLoss(z(1, 2, 3), z(1, 1, 3)), /^topKLoss: 10 percent of 3/],
    ["a missing ignore channel", (z) => nn.dcAndBCELoss(z(1, 2, 3), z(1, 2, 3), { useIgnoreLabel: true }), /must be \[1, 3, 3\]/],
  ];
  test.each(rows)("%s", async (_, call, message) => {
    const gpu = await device();
    const zeros = (...shape: number[]) => gpu.tensor(array(shape, () => 0));
    expect(() => scope(() => void call(zeros))).toThrow(message);
  });
});

test("losses/the Wasserstein loss of a batch is the mean of its samples", async () => {
  const gpu = await device();
  const distances = [
    [0, 1, 1],
    [1, 0, 0.3],
    [1, 0.3, 0],
  ];
  const wave = (from: number, samples: number) => gpu.tensor(array([samples, 3, 4, 5], (i) => 2 * Math.sin(2.3 * (i + from))));
  const labels = (from: number, samples: number) => gpu.tensor(array([samples, 4, 5], (i) => pattern(i + from) % 3));
  for (const weightingMode of ["default", "GDL"] as const) {
    const [both, a, b] = scope(() =>
      [
        [0, 2],
        [0, 1],
        [1, 1],
      ].map(([at, n]) => nn.generalizedWassersteinDiceLoss(wave(60 * at, n), labels(20 * at, n), distances, { weightingMode })),
    );
    expect(await both.item()).toBeCloseTo(((await a.item()) + (await b.item())) / 2, 6);
    for (const t of [both, a, b]) t.dispose();
  }
});

test("losses/weights of deep supervision", () => {
  expect(nn.deepSupervisionWeights(3)).toEqual([2 / 3, 1 / 3, 0]);
  expect(nn.deepSupervisionWeights(1)).toEqual([1]);
  expect(() => nn.deepSupervisionWeights(0)).toThrow(/positive whole number/);
});
