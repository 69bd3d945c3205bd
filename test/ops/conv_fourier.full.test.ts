/** @file Convolutions by Fourier transforms agree with the plain kernels on all that they take, however they are cut, and leave the rest to those. */

import { afterEach, describe, expect, test } from "vitest";
import * as vx from "../../src/index.ts";
import type { ConvOptions, Device } from "../../src/index.ts";
import { hasLanes } from "../../src/kernels/lib/subgroups.ts";
import { gatherFourier, weightGradientFourier } from "../../src/kernels/conv/fourier.ts";
import { fourierLengths, payingLengths } from "../../src/kernels/conv/fourier_lengths.ts";
import { convShape, type Triple } from "../../src/kernels/conv/shape.ts";
import { weightProblem } from "../../src/kernels/conv/variants.ts";
import { expectClose, expectSameBits, readAll } from "../lib/compare.ts";
import { type ConvCase, convResults, convStep, tensorsOf } from "../lib/conv_step.ts";
import { device as open } from "../lib/device.ts";
import { normal, seeded } from "../lib/row.ts";

const device: Device = await open();
afterEach(() => device.choices.clear());

const cases: readonly ConvCase[] = [
  ["odd channels and sizes, two samples", [2, 5, 13, 11], [7, 5, 5, 5], { padding: 2 }],
  ["more rows, terms and columns than a thread or block has", [2, 67, 9, 40], [35, 67, 3, 3], { padding: 1 }],
  ["three dimensions", [1, 6, 5, 9, 17], [18, 6, 5, 5, 5], { padding: 2 }],
  ["one tap along D", [2, 4, 3, 9, 10], [5, 4, 1, 3, 4], {}],
  ["one tap along H", [2, 3, 7, 3, 10], [5, 3, 5, 1, 3], { padding: [2, 0, 1] }],
  ["another padding at each end, more than the taps reach", [1, 3, 9, 12], [4, 3, 5, 3], { padding: [[0, 6], [3, 1]] }], // prettier-ignore
  ["a padded axis of one tap, which is left to others", [2, 3, 4, 9, 10], [5, 3, 1, 3, 3], { padding: 1 }],
  ["an image smaller than the taps", [2, 3, 2, 3], [4, 3, 5, 5], { padding: 2 }],
  ["positive results", [1, 4, 12, 12], [6, 4, 5, 5], { padding: 2, activation: "relu" }],
  ["one channel", [1, 1, 20, 20], [1, 1, 7, 7], { padding: 3 }],
];

async function compare(given: ConvCase, half: boolean): Promise<void> {
  const [, x, w, options] = given;
  const weight = weightProblem(convShape(x, w, undefined, options), half);
  device.choices.set("conv", "direct 4x8").set(weight, "direct");
  const plain = await convResults(device, given, half);
  device.choices.set("conv", "fourier").set(weight, "weight fourier");
  const fourier = await convResults(device, given, half);
  for (const key of ["y", "dx", "dw"]) expectClose(`${key} ${given[0]}`, fourier[key], plain[key], half ? 2e-3 : 4e-6);
}

const products = async (on: Device, f: () => void): Promise<number> =>
  (await vx.profile(on, f)).reduce((sum, { key, count }) => sum + (key.startsWith("fourier.product") ? count : 0), 0);

describe.skipIf(!hasLanes(device))("conv fourier", () => {
  test.each(cases)("%s", (...given) => compare(given, false));

  test.skipIf(!device.gpu.features.has("shader-f16"))("f16", () => compare(cases[0], true));

  // Sums of nearly equal terms are where errors show.
  test.each([8, 12, 16])("float64 sums, transforms of %i", async (n) => {
    const size = 24;
    const g = convShape([1, 3, size, size], [2, 3, 5, 5], undefined, { padding: 2 });
    const random = seeded("sums");
    const [xs, ws, ds] = [g.largeChannels * size * size, 2 * 3 * 25, 2 * size * size].map((length, k) =>
      Float32Array.from({ length }, (_, i) => (k === 1 ? normal(random, i) : 1 + 0.1 * normal(random, i))),
    );
    const [x, w, d] = [
      device.tensor({ data: xs, shape: [1, 3, size, size] }),
      device.tensor({ data: ws, shape: [2, 3, 5, 5] }),
      device.tensor({ data: ds, shape: g.outShape }),
    ];
    const length: Triple = [1, n, n];
    const y = device.empty(g.outShape);
    gatherFourier({ g, transposed: false, x, weight: w, bias: undefined, y, relu: false }, length);
    const dw = weightGradientFourier({ g, small: d, large: x }, w.shape, length);
    const [yf, dwf] = [new Float64Array(y.size), new Float64Array(dw.size)];
    const reach = function* () {
      for (let o = 0; o < 2; o++)
        for (let h = 0; h < size; h++)
          for (let v = 0; v < size; v++)
            for (let c = 0; c < 3; c++)
              for (let i = 0; i < 5; i++)
                for (let j = 0; j < 5; j++) {
                  const [p, q] = [h + i - 2, v + j - 2];
                  if (Math.min(p, q) < 0 || Math.max(p, q) >= size) continue;
                  yield [(o * size + h) * size + v, ((o * 3 + c) * 5 + i) * 5 + j, (c * size + p) * size + q] as const;
                }
    };
    for (const [o, k, i] of reach()) {
      yf[o] += ws[k] * xs[i];
      dwf[k] += ds[o] * xs[i];
    }
    const values = await readAll({ y, dw });
    expectClose("y", values.y, Float32Array.from(yf), 1e-6);
    expectClose("dw", values.dw, Float32Array.from(dwf), 1e-6);
    for (const t of [x, w, d, y, dw]) t.dispose();
  });

  test.each<ConvCase>([
    ["of two axes", [2, 12, 40, 30], [10, 12, 5, 5], { padding: 2 }],
    ["of planes that lie apart", [2, 12, 3, 40, 30], [10, 12, 1, 5, 5], { padding: [0, 2, 2] }],
    ["of three axes", [2, 3, 60, 9, 8], [4, 3, 5, 5, 5], { padding: 1 }],
    ["many of which see nothing of the image", [2, 12, 9, 16], [10, 12, 5, 5], { padding: [[30, 60], [2, 2]] }], // prettier-ignore
  ])("windows that are worked on in shares, as their spectra would take too much memory: %s", async (...given) => {
    const g = convShape(given[1], given[2], undefined, given[3]);
    // Some rows of windows of a sample can be bound, not all.
    const small = await vx.openDevice({ maxBindingSize: 2 ** 17 });
    const [whole, shares] = await Promise.all(
      [device, small].map(async (on) => {
        on.choices.set("conv", "fourier").set(weightProblem(g, false), "weight fourier");
        return { values: await convResults(on, given, false), products: await products(on, () => convStep(on, given, false)) };
      }),
    );
    small.close();
    expect(whole.products).toBe(3);
    expect(shares.products).toBeGreaterThan(whole.products);
    for (const key of ["y", "dx", "dw"]) expectClose(key, shares.values[key], whole.values[key], 2e-6);
  });

  test("no samples: the gradient of the weights is zeros", async () => {
    const given: ConvCase = ["none", [0, 3, 12, 12], [4, 3, 5, 5], { padding: 2 }];
    device.choices.set("conv", "fourier");
    device.choices.set(weightProblem(convShape(given[1], given[2], undefined, given[3]), false), "weight fourier");
    const { dw } = await convResults(device, given, false);
    expect(dw.every((v) => v === 0)).toBe(true);
  });

  // The gradient of each weight is a part of another, output channel by output channel.
  test("weight gradients that are joined in a plan", async () => {
    device.choices.set("conv", "fourier");
    device.choices.set(
      weightProblem(convShape([1, 4, 12, 16], [4, 4, 5, 5], undefined, { padding: 2 }), false),
      "weight fourier",
    );
    const tensor = tensorsOf(device, "joined");
    const [x, w, v] = [tensor([1, 4, 12, 16]), tensor([4, 4, 5, 5]), tensor([4, 4, 5, 5])];
    for (const t of [w, v]) t.requiresGrad = true;
    const network = () => {
      const y = vx.add(vx.conv(x, w, undefined, { padding: 2 }), vx.conv(vx.square(x), v, undefined, { padding: 2 }));
      return { joined: vx.concat(vx.grad(vx.sum(vx.square(y)), [w, v]), 1) };
    };
    const eager = await readAll(network());
    const captured = vx.capture(device, network);
    captured();
    expectSameBits("joined", (await readAll(captured())).joined, eager.joined);
  });

  // Both sides of a concatenation live in the whole, sample by sample.
  test("in a plan, beside what it is joined with", async () => {
    device.choices.set("conv", "fourier");
    for (const [inputs, outputs] of [
      [3, 4],
      [9, 6],
    ] as const) {
      const g = convShape([2, inputs, 12, 16], [outputs, inputs, 5, 5], undefined, { padding: 2 });
      device.choices.set(weightProblem(g, false), "weight fourier");
    }
    const tensor = tensorsOf(device, "plan");
    const [x, skip, w, v] = [tensor([2, 3, 12, 16]), tensor([2, 5, 12, 16]), tensor([4, 3, 5, 5]), tensor([6, 9, 5, 5])];
    for (const t of [x, skip, w, v]) t.requiresGrad = true;
    const network = () => {
      const y = vx.conv(vx.concat([vx.conv(x, w, undefined, { padding: 2 }), skip], 1), v, undefined, { padding: 2 });
      const [dx, ds, dw, dv] = vx.grad(vx.sum(vx.square(y)), [x, skip, w, v]);
      return { y, dx, ds, dw, dv };
    };
    const eager = await readAll(network());
    const captured = vx.capture(device, network);
    captured();
    const replayed = await readAll(captured());
    for (const key of ["y", "dx", "ds", "dw", "dv"] as const) expectSameBits(key, replayed[key], eager[key]);
  });

  test("the rule", () => {
    const g = (channels: number, size: readonly number[], taps: number, options: ConvOptions = {}) =>
      convShape([1, channels, ...size], [channels, channels, ...size.map(() => taps)], undefined, {
        padding: (taps - 1) / 2,
        ...options,
      });
    const pays = (...args: Parameters<typeof g>) => payingLengths(device, g(...args), "plain");
    expect(pays(64, [32, 32, 32], 5)).toEqual([12, 12, 12]);
    expect(pays(64, [128, 128], 5)).toEqual([1, 16, 16]);
    expect(pays(16, [32, 32], 5)).toBeUndefined();
    expect(pays(64, [32, 32], 3)).toBeUndefined();
    expect(fourierLengths(device, g(8, [32], 5), "plain")).toBeUndefined();
    expect(fourierLengths(device, g(8, [32, 32], 5, { stride: 2 }), "plain")).toBeUndefined();
    expect(fourierLengths(device, g(8, [32, 32], 5, { dilation: 2 }), "plain")).toBeUndefined();
    expect(fourierLengths(device, g(512, [8, 8, 8], 5), "plain")).toBeUndefined(); // spectra of the weights cannot be bound
  });
});
