/** @file Monte-Carlo dropout around inferers: mean and variance are those of the draws, volumes stay in place, certain networks are certain. */

import { beforeAll, expect, test } from "vitest";
import { ConfigError, type Device, relu, softmax, type Tensor } from "../../../src/index.ts";
import { makeVolume } from "../../../src/data/index.ts";
import { Conv, Dropout, Module, seedDropout } from "../../../src/nn/index.ts";
import { MonteCarloInferer, SliceInferer, SlidingWindowInferer, TestDropout } from "../../../src/seg/index.ts";
import { device } from "../../lib/device.ts";
import { wave } from "../networks/reference.ts";

let dev: Device;
beforeAll(async () => (dev = await device()));

/** Two convolutions around a dropout. */
class Small extends Module {
  readonly first: Conv;
  readonly dropout: Dropout;
  readonly last: Conv;

  constructor(spatialDims: 2 | 3, rate: number, outChannels = 3) {
    super();
    this.first = new Conv(dev, { spatialDims, inChannels: 1, outChannels: 8, kernelSize: 3, padding: 1 });
    this.dropout = new Dropout(dev, rate, { channels: true });
    this.last = new Conv(dev, { spatialDims, inChannels: 8, outChannels, kernelSize: 1 });
  }

  forward(x: Tensor): Tensor {
    return this.last.forward(this.dropout.forward(relu(this.first.forward(x))));
  }
}

test("mean and variance are those of the draws, by image", async () => {
  const network = new Small(2, 0.4);
  const x = wave([2, 1, 9, 7], 0.5, 0.21, 0.3, 0.5);
  const done: number[] = [];
  const inferer = new MonteCarloInferer({ samples: 4, onSample: (n) => done.push(n) });
  seedDropout(dev, 3);
  const { mean, variance, structures } = await inferer.run(x, network);
  expect(done).toEqual([1, 2, 3, 4]);
  expect(network.training).toBe(true);
  // The inferer goes image by image, and so do these.
  seedDropout(dev, 3);
  const noisy = new TestDropout(network).eval();
  const draws: Float32Array[] = [];
  for (let s = 0; s < 4; s++) {
    const both: number[] = [];
    for (const n of [0, 1]) {
      const image = dev.tensor({ data: x.data.slice(n * 63, (n + 1) * 63), shape: [1, 1, 9, 7] });
      both.push(...((await softmax(noisy.forward(image)).data()) as Float32Array));
    }
    draws.push(Float32Array.from(both));
  }
  expect(mean.shape).toEqual([2, 3, 9, 7]);
  for (let i = 0; i < mean.data.length; i++) {
    const values = draws.map((d) => d[i]);
    const m = values.reduce((a, b) => a + b) / 4;
    expect(mean.data[i]).toBeCloseTo(m, 5);
    expect(variance.data[i]).toBeCloseTo(values.reduce((sum, v) => sum + (v - m) ** 2, 0) / 4, 6);
  }
  expect(variance.data.some((v) => v > 1e-5)).toBe(true);
  expect(structures).toHaveLength(2);
  for (const { volumes, iou } of structures) {
    expect(volumes.map((v) => v.reduce((a, b) => a + b))).toEqual([63, 63, 63, 63]);
    expect(iou.every((v) => v >= 0 && v <= 1)).toBe(true);
  }
  network.dispose();
});

test("volumes by windows and slices stay in place; without dropout nothing varies", async () => {
  const affine = [
    [2, 0, 0, 1],
    [0, 2, 0, 2],
    [0, 0, 3, 3],
    [0, 0, 0, 1],
  ];
  const volume = makeVolume(wave([1, 8, 9, 6], 0.5, 0.21, 0.3, 0.5), affine);
  const solid = new Small(3, 0, 2);
  const windows = new SlidingWindowInferer({ roiSize: [8, 8, 4], overlap: 0.5 });
  const sure = await new MonteCarloInferer({ samples: 2, inferer: windows, activation: "sigmoid" }).run(volume, solid);
  expect(sure.mean.affine).toEqual(affine);
  expect(sure.variance.shape).toEqual([2, 8, 9, 6]);
  expect(Math.max(...sure.variance.data)).toBe(0);
  expect([...sure.structures[0].iou]).toEqual([1, 1]);
  const flat = new Small(2, 0.4);
  const slices = new SliceInferer({ roiSize: [8, 6], spatialDim: 1 });
  const { variance } = await new MonteCarloInferer({ samples: 3, inferer: slices }).run(volume, flat);
  expect([variance.shape, variance.affine]).toEqual([[3, 8, 9, 6], affine]);
  expect(variance.data.some((v) => v > 1e-5)).toBe(true);
  for (const n of [solid, flat]) n.dispose();
});

test("options outside their range are refused", () => {
  expect(() => new MonteCarloInferer({ samples: 0 })).toThrow(ConfigError);
  expect(() => new MonteCarloInferer({ activation: "relu" as never })).toThrow(/softmax/);
  expect(() => new MonteCarloInferer({ draws: 3 } as never)).toThrow(ConfigError);
});
