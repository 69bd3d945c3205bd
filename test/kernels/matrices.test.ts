/** @file Which matrices of a device are used, and how a convolution is cut for them. */

import { expect, test } from "vitest";
import type { Device } from "../../src/index.ts";
import { hasMatrix, hasWeightMatrix, matrixTile, weightMatrix } from "../../src/kernels/conv/matrix.ts";
import { convShape } from "../../src/kernels/conv/shape.ts";
import { gatherRule, weightRule } from "../../src/kernels/conv/variants.ts";
import { matricesOf } from "../../src/kernels/lib/matrices.ts";
import { matrixTile as matmulTile } from "../../src/kernels/matmul_matrix.ts";
import { matmulShape } from "../../src/kernels/matmul_shape.ts";

const all = ["chromium-experimental-subgroup-matrix", "subgroup-size-control", "shader-f16", "subgroups"];
const config = (M: number, N: number, K: number, resultComponentType = "f32") => ({
  M,
  N,
  K,
  componentType: "f16",
  resultComponentType,
});

// All that the choice reads of a device.
const limits = { maxComputeInvocationsPerWorkgroup: 1024, maxComputeWorkgroupStorageSize: 32768 };
function device(configs: readonly object[], { features = all, sizes = [32, 32], software = false, least = {} } = {}): Device {
  const info = { subgroupMinSize: sizes[0], subgroupMaxSize: sizes[1], subgroupMatrixConfigs: configs };
  return {
    info,
    software,
    gpu: { features: new Set(features), limits: { ...limits, ...least }, adapterInfo: info },
    choices: new Map(),
  } as unknown as Device;
}

const conv = (inputs: number, outputs: number, width = 32, taps = 3) =>
  convShape([1, inputs, 32, width], [outputs, inputs, taps, taps], undefined, { padding: (taps - 1) / 2 });

test("the largest shape with f32 sums, by subgroups that a shader can ask for", () => {
  const nvidia = [config(16, 8, 8), config(16, 16, 16), config(16, 16, 16, "f16"), config(16, 8, 16)];
  expect(matricesOf(device(nvidia))).toEqual({ M: 16, N: 16, K: 16, S: 32 });
  expect(matricesOf(device(nvidia, { sizes: [32, 64] }))!.S).toBe(32);
  expect(matricesOf(device([config(8, 8, 8)], { sizes: [8, 8] }))).toEqual({ M: 8, N: 8, K: 8, S: 8 });
  for (const feature of all.slice(0, 3)) {
    expect(matricesOf(device(nvidia, { features: all.filter((f) => f !== feature) })), feature).toBeUndefined();
  }
  expect(matricesOf(device([config(16, 16, 16, "f16")]))).toBeUndefined();
  expect(matricesOf(device([]))).toBeUndefined();
  // Shapes that no tile is made of, and devices too small for a tile.
  expect(matricesOf(device([config(64, 64, 16), config(16, 16, 16)]))!.M).toBe(16);
  expect(matricesOf(device([config(8, 16, 16)], { sizes: [8, 8] }))).toBeUndefined();
  expect(matricesOf(device(nvidia, { least: { maxComputeWorkgroupStorageSize: 16384 } }))).toBeUndefined();
  expect(matricesOf(device(nvidia, { sizes: [64, 64], least: { maxComputeInvocationsPerWorkgroup: 256 } }))).toBeUndefined();
});

test.each([
  [16, 16, 16, 32],
  [16, 8, 16, 32],
  [8, 8, 8, 8],
  [8, 8, 8, 32],
  [16, 16, 16, 64],
])("%i x %i x %i by %i lanes: whole numbers of everything", (M, N, K, S) => {
  const gpu = device([config(M, N, K)], { sizes: [S, S] });
  for (const [inputs, outputs] of [
    [8, 16],
    [16, 16],
    [32, 32],
    [64, 64],
    [128, 128],
    [256, 512],
  ]) {
    const t = matrixTile(gpu, conv(inputs, outputs), false);
    const lanes = t.SC * t.SP * t.S;
    const parts = lanes / (t.SP * t.RP * t.N);
    for (const n of Object.values(t)) expect(Number.isInteger(n) && n > 0, JSON.stringify(t)).toBe(true);
    expect(Number.isInteger(parts) && Number.isInteger((t.KS * t.K) / parts), JSON.stringify(t)).toBe(true);
    expect(lanes).toBeLessThanOrEqual(256 * (S / 32 > 1 ? 2 : 1));
    const w = weightMatrix(gpu, conv(inputs, outputs));
    const atOnce = (w.SA * w.SB * w.S) / ((w.KS * w.K) / 8);
    for (const n of [...Object.values(w), (w.SA * w.RA * w.M) / atOnce, (w.SB * w.RB * w.N) / atOnce]) {
      expect(Number.isInteger(n) && n > 0, JSON.stringify(w)).toBe(true);
    }
  }
});

test.each([
  [16, 16, 16, 32],
  [16, 8, 16, 32],
  [8, 16, 16, 32],
  [8, 8, 8, 8],
  [8, 8, 32, 16],
  [16, 16, 16, 64],
])("matrix products of %i x %i x %i by %i lanes: whole numbers of everything", (M, N, K, S) => {
  const gpu = device([config(M, N, K)], { sizes: [S, S] });
  for (const size of [64, 4096]) {
    const t = matmulTile(gpu, matmulShape("matmul", [size, size], [size, size], {}));
    const [lanes, step] = [t.SM * t.SN * t.S, t.KS * t.K];
    expect(lanes).toBeLessThanOrEqual(256);
    for (const lines of [t.SM * t.RM * t.M, t.SN * t.RN * t.N]) {
      // Eights of lines by parts of a step, and eights of a step by lines.
      const parts = lanes / (lines / 8);
      for (const n of [parts, step / parts / 2, (lines * step) / 8 / lanes, lines / 32]) {
        expect(Number.isInteger(n) && n > 0, JSON.stringify(t)).toBe(true);
      }
    }
    const shared = 2 * (t.SM * t.RM * t.M + t.SN * t.RN * t.N) * (step + 8) + 2 * t.SM * t.SN * M * N;
    expect(shared).toBeLessThanOrEqual(2 ** 15);
  }
});

test("chosen for f16 on a GPU that has them, where they pay", () => {
  const gpu = device([config(16, 16, 16)]);
  expect(gatherRule(gpu, conv(64, 64), false, true)).toBe("matrix");
  expect(gatherRule(gpu, conv(64, 64), true, true)).toBe("matrix");
  expect(weightRule(gpu, conv(64, 64), true)).toBe("weight matrix");
  expect(gatherRule(gpu, conv(64, 64), false, false)).toMatch(/^tile/);
  expect(weightRule(gpu, conv(64, 64), false)).toMatch(/^weights/);
  expect(gatherRule(gpu, conv(1, 64), false, true)).toMatch(/^direct/);
  expect(gatherRule(gpu, conv(64, 2), false, true)).toMatch(/^direct/);
  // A line of three is mostly zeros, and a chain of sums no longer than elsewhere.
  expect(hasWeightMatrix(gpu, conv(64, 64, 3))).toBe(false);
  expect(hasMatrix(gpu, conv(8192, 16), false)).toBe(false);
  const taps = (size: number) => convShape([1, 32, 9, 9, 9], [32, 32, size, size, size], undefined, { padding: 3 });
  expect([hasMatrix(gpu, taps(5), false), hasMatrix(gpu, taps(7), false)]).toEqual([true, false]);
  const slow = device([config(8, 8, 8)], { sizes: [8, 8], software: true });
  expect(gatherRule(slow, conv(64, 64), false, true)).toMatch(/^(rows|direct)/);
});
