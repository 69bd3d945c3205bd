/** @file All options of the losses against MONAI and nnU-Net, and sizes that a small test does not reach. */

import { describe, test } from "vitest";
import { full, regionSums, scope } from "../../../src/index.ts";
import * as nn from "../../../src/nn/index.ts";
import { expectClose } from "../../lib/compare.ts";
import { device } from "../../lib/device.ts";
import { array, cases, isFirst, testCases } from "./made.ts";

describe("losses against MONAI and nnU-Net", () => testCases(cases.filter((c) => !isFirst(c))));

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
