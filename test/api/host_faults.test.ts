/** @file Values that no writer or upload takes: an error that is ours in place of other values, and types that fit several rules. */

import { expect, test } from "vitest";
import { capture, ConfigError, DataError, DTypeError, FormatError, mul, ShapeError } from "../../src/index.ts";
import { Affine, type AffineMatrix } from "../../src/data/index.ts";
import { writeImageFile } from "../../src/data/index.node.ts";
import { makeVolume } from "../../src/data/volume.ts";
import { Adam, Conv, CosineAnnealingLR, parameterGroups } from "../../src/nn/index.ts";
import { readTorch, readSafetensors, writeSafetensors, writeTorch } from "../../src/weights/index.ts";
import { device } from "../lib/device.ts";

test("writeTorch writes whole numbers as such and refuses what it has no form for", async () => {
  const tensor = { data: new Float32Array(1), shape: [1] };
  const { metadata } = await readTorch(writeTorch({ steps: 2 ** 40, under: -(2 ** 31) - 1, tensor }));
  expect([metadata.get("steps"), metadata.get("under")]).toEqual([String(2 ** 40), String(-(2 ** 31) - 1)]);
  for (const bad of [() => 1, new Date(0), new Set([1]), 1n, Symbol("a"), new Float32Array(2), new Map([[1, 2]])])
    expect(() => writeTorch({ bad } as never)).toThrow(DTypeError);
  expect(() => writeTorch({ x: { data: new Float32Array(3), shape: [2, 2] } })).toThrow(ShapeError);
});

test("writeSafetensors names the type of each array, or refuses it", () => {
  const half = (globalThis as unknown as { Float16Array?: { of(...v: number[]): Float32Array } }).Float16Array;
  if (half) {
    const { dtype, data } = readSafetensors(
      writeSafetensors(new Map([["x", { data: half.of(0.5, 2), shape: [2] }]])),
    ).tensors.get("x")!;
    expect([dtype, ...data]).toEqual(["F16", 0.5, 2]);
  }
  expect(() => writeSafetensors(new Map([["x", { data: new BigInt64Array(1), shape: [1] } as never]]))).toThrow(DTypeError);
});

test("uploads take shared memory, and refuse 64-bit integers and numbers that a type does not hold", async () => {
  const gpu = await device();
  const shared = new Float32Array(new SharedArrayBuffer(8));
  shared.set([1, 2]);
  expect([...(await gpu.tensor({ data: shared, shape: [2] }).data())]).toEqual([1, 2]);
  const step = capture(gpu, (x) => mul(x, 2));
  await expect(step.prepare({ data: shared, shape: [2] } as never)).rejects.toThrow(ConfigError);
  expect(() => gpu.tensor({ data: new BigInt64Array(1) as never, shape: [1] })).toThrow(DTypeError);
  for (const [value, type] of [
    [3e9, "i32"],
    [-1, "u32"],
    [NaN, "i32"],
  ] as const)
    expect(() => gpu.tensor({ data: [value], shape: [1] }, type)).toThrow(DataError);
  expect([...(await gpu.tensor({ data: [-2.7, 2.7], shape: [2] }, "i32").data())]).toEqual([-2, 2]);
});

test("an image that cannot be written is a FormatError", async () => {
  const volume = makeVolume({ data: new Float32Array(1), shape: [1, 1, 1, 1] });
  await expect(writeImageFile("/no/such/folder/a.nii", volume)).rejects.toThrow(FormatError);
});

test("rates are checked where they are set, and groups may have different options", async () => {
  const model = new Conv(await device(), { spatialDims: 2, inChannels: 1, outChannels: 1, kernelSize: 1 } as never);
  const groups = parameterGroups(model, [
    { match: /bias/, options: { weightDecay: 0 } },
    { match: /weight/, options: { lr: 0.01 } },
  ]);
  const adam = new Adam(groups);
  for (const bad of [NaN, -1, "0.5"]) {
    expect(() => (adam.lr = bad as number)).toThrow(ConfigError);
    expect(() => (adam.rates = [0.1, bad as number])).toThrow(ConfigError);
  }
  const cosine = new CosineAnnealingLR(adam, { tMax: 3 });
  expect(() => (cosine.steps = NaN)).toThrow(ConfigError);
});

test("Affine is the transform, AffineMatrix the type of a matrix", () => {
  const matrix: AffineMatrix = makeVolume({ data: new Float32Array(1), shape: [1, 1, 1, 1] }).affine;
  expect([matrix.length, new Affine({ rotateParams: 0.1 })]).toEqual([4, expect.any(Affine)]);
});
