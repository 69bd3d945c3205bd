/** @file Activation checkpointing: the same bits for less memory. */

import { expect, test } from "vitest";
import { capture, checkpoint, grad, mean, square, type Tensor } from "../../src/index.ts";
import { Convolution, type Module, Sequential, seedDropout } from "../../src/nn/index.ts";
import { device } from "../lib/device.ts";

test("checkpoint: gradients equal those without it in every bit, dropout included, and the plan is smaller", async () => {
  const dev = await device();
  const block = (n: number): Module =>
    new Sequential(
      Array.from({ length: n }, () => new Convolution(dev, { spatialDims: 2, inChannels: 4, outChannels: 4, dropout: 0.3 })),
    );
  const blocks = [block(3), block(3), block(3)];
  const parameters = blocks.flatMap((b) => b.parameters());
  const x = dev.tensor({ data: Float32Array.from({ length: 4 * 32 * 32 }, (_, i) => Math.sin(i)), shape: [1, 4, 32, 32] });
  const step = (use: boolean) =>
    capture(dev, (input) => {
      let h: Tensor = input;
      for (const b of blocks) h = use ? checkpoint((v) => b.forward(v), [h], b.parameters()) : b.forward(h);
      return grad(mean(square(h)), parameters);
    });
  const results = [];
  const peaks = [];
  for (const use of [false, true]) {
    seedDropout(dev, 5);
    const run = step(use);
    const gradients = run(x);
    results.push(await Promise.all(gradients.map((g) => g.data())));
    peaks.push(run.plan!.peakBytes);
    run.dispose();
  }
  expect(results[1]).toEqual(results[0]);
  expect(peaks[1]).toBeLessThan(0.75 * peaks[0]);
  for (const b of blocks) b.dispose();
  x.dispose();
});
