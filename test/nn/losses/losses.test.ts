/** @file Losses against MONAI and nnU-Net, one case each (all options: losses.full.test.ts); that they are fused, and what they refuse. */

import { describe, expect, test } from "vitest";
import { capture, grad, mul, oneHot, scope, softmax, sum, type Tensor } from "../../../src/index.ts";
import * as nn from "../../../src/nn/index.ts";
import { device } from "../../lib/device.ts";
import { array, cases, isFirst, pattern, testCases } from "./made.ts";

describe("losses against MONAI and nnU-Net", () => testCases(cases.filter(isFirst)));

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
    return (plan.ownBytes - plan.memory.uniforms) / (4 * 6 * 32 * 32);
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
    const each = nn.generalizedWassersteinDiceLoss(wave(0, 2), labels(0, 2), distances, { weightingMode, reduction: "none" });
    expect(each.shape).toEqual([2, 1, 1, 1]);
    expect((await each.data())[0]).toBeCloseTo(await a.item(), 6);
    each.dispose();
    for (const t of [both, a, b]) t.dispose();
  }
});

test("losses/Hausdorff distances to class numbers are whole ones in MONAI", async () => {
  const gpu = await device();
  // One voxel of 25; the input is nowhere above one half, so that it has no distances of its own.
  const target: number[] = Array.from({ length: 25 }, (_, i) => (i === 12 ? 1 : 0));
  const far = target.map((v, i) => (v === 1 ? 1 : Math.hypot((i % 5) - 2, Math.floor(i / 5) - 2)));
  const expected = (distance: (d: number) => number) =>
    target.reduce((sum, v, i) => sum + (0.25 - v) ** 2 * distance(far[i]) ** 2, 0) / 25;
  const x = gpu.tensor({ data: target.map(() => 0.25), shape: [1, 1, 5, 5] });
  const y = gpu.tensor({ data: Int32Array.from(target), shape: [1, 1, 5, 5] }, "i32");
  const loss = (compat?: "monai") => nn.hausdorffDTLoss(x, y, { includeBackground: true, ...(compat && { compat }) }).item();
  expect(await loss()).toBeCloseTo(
    expected((d) => d),
    6,
  );
  expect(await loss("monai")).toBeCloseTo(expected(Math.floor), 6);
});

test("losses/weights of deep supervision", () => {
  expect(nn.deepSupervisionWeights(3)).toEqual([2 / 3, 1 / 3, 0]);
  expect(nn.deepSupervisionWeights(1)).toEqual([1]);
  expect(() => nn.deepSupervisionWeights(0)).toThrow(/positive whole number/);
});
