/** @file Augmentation on the device against the host's transforms with the same draws. */

import { beforeAll, expect, test } from "vitest";
import { capture, type Device, scope } from "../../../src/index.ts";
import { type HostArray, sizeOf } from "../../../src/host/array.ts";
import {
  AdjustContrast,
  augmentationMatrix,
  DrawAugmentation,
  Flip,
  listDataCollate,
  Rotate90,
  SpatialCrop,
} from "../../../src/data/index.ts";
import { cropAndPad } from "../../../src/data/nnunet/patches.ts";
import { ConfigError, ShapeError } from "../../../src/host/errors.ts";
import { RandomState } from "../../../src/host/random/numpy.ts";
import { warp, warpBoth } from "../../../src/kernels/augment.ts";
import { blur, blurInPlace } from "../../../src/kernels/blur.ts";
import { channelStatistics } from "../../../src/kernels/channel_statistics.ts";
import { augmentBatch } from "../../../src/seg/training/augmentation.ts";
import type { BatchTensors } from "../../../src/seg/training/trainer.ts";
import { expectClose } from "../../lib/compare.ts";
import { device } from "../../lib/device.ts";

let gpu: Device;
beforeAll(async () => (gpu = await device()));

const wave = (...shape: number[]): HostArray<Float32Array> => ({
  data: Float32Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(0.31 * i) + 0.3 * Math.cos(1.7 * i)),
  shape,
});

const never = { prob: 0, range: [0, 1] } as const;
const nothing = {
  rotation: never,
  scale: never,
  mirrorAxes: [],
  noise: never,
  blur: never,
  brightness: never,
  contrast: never,
  lowResolution: never,
  gamma: never,
  gammaInverted: never,
};

/** As the training loop does it: collated, captured, read. */
async function augmented(items: readonly Record<string, HostArray>[], options: Parameters<typeof augmentBatch>[1]) {
  const batch = listDataCollate(items);
  const names = Object.keys(batch);
  const step = capture(gpu, (...tensors) => {
    const given = Object.fromEntries(names.map((name, i) => [name, tensors[i]])) as unknown as BatchTensors;
    const { image, label } = augmentBatch(given, options);
    return { image, label };
  });
  const { image, label } = step(...names.map((name) => batch[name]));
  const read = { image: await image.data(), label: await label.data(), shape: image.shape };
  step.dispose();
  return read;
}

const labelOf = ({ data, shape }: HostArray): HostArray => ({
  data: Float32Array.from(data, (v) => (v > 0.4 ? 2 : v > 0 ? 1 : 0)),
  shape: [1, ...shape.slice(1)],
});

test("crop, flip and quarter turns move voxels as the host's transforms do", async () => {
  const image = wave(1, 9, 9, 8);
  const label = labelOf(image);
  const size = [5, 5, 6];
  const geometry = { from: [9, 9, 8], size, angles: [0, 0, Math.PI / 2], zoom: 1, mirrored: [2] };
  const drawn = new DrawAugmentation({ ...nothing, size }).apply({ image, label });
  const got = await augmented([{ ...drawn, augmentMatrix: augmentationMatrix(geometry) } as never], { size });
  const wanted = [image, label].map((x) => {
    const cropped = new SpatialCrop({ roiCenter: [4, 4, 4], roiSize: size }).apply(x);
    return [1, 3].map((k) => new Rotate90({ k, spatialAxes: [0, 1] }).apply(new Flip({ spatialAxis: 2 }).apply(cropped)));
  });
  // Which way is positive is a matter of taste: one of the two.
  const turn = wanted[1].findIndex((w) => w.data.every((v, i) => v === got.label[i]));
  expect(turn).toBeGreaterThanOrEqual(0);
  expectClose("image", got.image, wanted[0][turn].data, 1e-5);
});

test.each([
  { from: [9, 8, 7], size: [4, 5, 7], mirrored: [] },
  { from: [9, 8, 7], size: [4, 5, 4], mirrored: [0, 2] },
  { from: [5, 4, 8], size: [6, 7, 5], mirrored: [1] },
])("samples $from larger than $size by odd numbers, not turned, are cut at whole voxels", async ({ from, size, mirrored }) => {
  const image = wave(1, ...from);
  const label = labelOf(image);
  const item = new DrawAugmentation({ ...nothing, size }).apply({ image, label });
  const augmentMatrix = augmentationMatrix({ from, size, angles: [0, 0, 0], zoom: 1, mirrored });
  const got = await augmented([{ ...item, augmentMatrix } as never], { size });
  const start = from.map((n, a) => Math.floor(n / 2) - Math.floor(size[a] / 2));
  const [pixels, classes] = [image, label].map((x) => {
    const cut = cropAndPad(x, start, size, 0);
    return mirrored.length > 0 ? new Flip({ spatialAxis: mirrored }).apply(cut) : cut;
  });
  expect([...got.image]).toEqual([...pixels.data]);
  expect([...got.label]).toEqual([...classes.data]);
});

test("brightness, contrast and gamma change values as the host's do", async () => {
  const image = wave(2, 12, 11);
  const label = labelOf({ ...image, shape: [1, 12, 11], data: image.data.subarray(0, 132) });
  const size = [12, 11];
  const item = new DrawAugmentation({ ...nothing, size }).apply({ image, label });
  const numbers = (row: number[]) => ({ data: Float32Array.from([...row, ...row]), shape: [2, 7] });
  const changed = (row: number[]) => augmented([{ ...item, augmentNumbers: numbers(row) } as never], { size });
  expectClose("same", (await changed([1, 0, 1, 1, 0, 0, 0])).image, image.data, 1e-6);
  expectClose(
    "brighter",
    (await changed([1.2, 0.1, 1, 1, 0, 0, 0])).image,
    Float32Array.from(image.data, (v) => v * 1.2 + 0.1),
    1e-5,
  );
  const channel = (k: number) => ({ data: image.data.slice(132 * k, 132 * (k + 1)), shape: [1, 12, 11] });
  for (const [invert, flag] of [
    [false, 0],
    [true, 1],
  ] as const) {
    const transform = new AdjustContrast({ gamma: 1.4, invertImage: invert, retainStats: true } as never);
    const wanted = [0, 1].flatMap((k) => [...transform.apply(channel(k)).data]);
    expectClose(`gamma ${flag}`, (await changed([1, 0, 1, 1.4, flag, 0, 0])).image, wanted, 1e-4);
  }
});

test("what is drawn depends on the seed alone, and turns up in the batch as told", async () => {
  const size = [8, 8, 8];
  const always = {
    ...nothing,
    size,
    noise: { prob: 1, range: [0.2, 0.2] as const },
    elastic: { prob: 1, range: [1, 1] as const, knots: 5 },
  };
  const draw = (seed: number) => {
    const image = { data: new Float32Array(1000), shape: [1, 10, 10, 10] };
    return new DrawAugmentation(always).setRandomState(seed).apply({ image, label: labelOf(image) });
  };
  expect(draw(3)).toEqual(draw(3));
  expect(draw(3)).not.toEqual(draw(4));
  const { image } = await augmented([draw(3), draw(4)] as never, { size });
  const variance = (image as Float32Array).reduce((sum, v) => sum + v * v, 0) / image.length;
  expect(variance).toBeGreaterThan(0.03);
  expect(variance).toBeLessThan(0.05);
});

test("draws are those of nnU-Net: of each channel its own, around 1 in halves, blur by axis, noise by its deviation", () => {
  const size = [4, 4, 4];
  const image = { data: new Float32Array(128), shape: [2, 4, 4, 4] };
  const range = [0.5, 3] as const;
  const one = { prob: 1, range };
  const all = { ...nothing, size, noise: one, blur: one, brightness: one, contrast: one, gamma: one, scale: one };
  const draw = new DrawAugmentation(all).setRandomState(1);
  const drawn = Array.from({ length: 400 }, () => draw.apply({ image, label: labelOf(image) }) as Record<string, HostArray>);
  const rows = drawn.map(({ augmentNumbers: { data } }) => [data.slice(0, 7), data.slice(7)]);
  for (const column of [0, 2, 3]) {
    expect(rows.every(([a, b]) => a[column] !== b[column])).toBe(true);
    const values = rows.flat().map((row) => row[column]);
    const below = values.filter((v) => v < 1);
    expect(Math.abs(below.length - 400)).toBeLessThan(60);
    // Uniform in each half.
    expect(Math.abs(below.filter((v) => v < 0.75).length / below.length - 0.5)).toBeLessThan(0.1);
    expect(Math.max(...values)).toBeGreaterThan(2.9);
  }
  expect(rows.every(([a, b]) => a[5] === b[5] && a[5] >= 0.5 && a[5] <= 3)).toBe(true);
  expect(Math.max(...rows.map(([a]) => a[5]))).toBeGreaterThan(2.9);
  for (const { augmentSigmas } of drawn) {
    expect(augmentSigmas.shape).toEqual([2, 3]);
    for (const c of [0, 1]) {
      const sigmas = augmentSigmas.data.slice(3 * c, 3 * c + 3);
      expect(sigmas.every((s) => s === 0) || new Set(sigmas).size === 3).toBe(true);
    }
  }
  // What is seen, 1 / zoom, is uniform from 1/3 to 2.
  const seen = drawn.map(({ augmentMatrix }) => augmentMatrix.data[0]);
  expect(seen.reduce((a, b) => a + b) / 400).toBeCloseTo((1 / 3 + 2) / 2, 1);
});

test("gamma on the negative image takes the place of gamma; factors of a range beside 1 are uniform in it", () => {
  const size = [4, 4];
  const image = { data: new Float32Array(16), shape: [1, 4, 4] };
  const of = (options: object) =>
    Array.from({ length: 40 }, (_, seed) => {
      const draw = new DrawAugmentation({ ...nothing, size, ...options }).setRandomState(seed);
      return (draw.apply({ image, label: labelOf(image) }) as Record<string, HostArray>).augmentNumbers.data;
    });
  const both = of({ gamma: { prob: 1, range: [2, 3] }, gammaInverted: { prob: 1, range: [0.2, 0.4] } });
  expect(both.every((row) => row[3] < 0.41 && row[4] === 1)).toBe(true);
  const beside = of({ contrast: { prob: 1, range: [1.5, 2] } }).map((row) => row[2]);
  expect(Math.min(...beside)).toBeGreaterThan(1.49);
  expect(Math.max(...beside)).toBeGreaterThan(1.9);
});

test("blur in place smooths along each axis by its own sigma, and leaves channels alone that have none", async () => {
  for (const [spatial, apart] of [
    [[7], 1],
    [[6, 5], 2],
    [[5, 6, 4], 3],
  ] as const) {
    const image = wave(3, ...spatial);
    // Sigmas of 0 and of next to nothing stand beside others; the last channel has none.
    const sigmas = Float32Array.from({ length: 3 * apart }, (_, i) => (i < 2 * apart ? [0, 0.9, 0.1, 0.6][i % 4] : 0));
    const x = gpu.tensor({ data: image.data, shape: [1, ...image.shape] });
    const s = gpu.tensor({ data: sigmas, shape: [1, 3, apart] });
    const wanted = await blur(x, s, 4).data();
    blurInPlace(x, s, 4);
    const got = await x.data();
    expectClose(`${spatial}`, got, wanted, 1e-6);
    const plane = sizeOf(spatial);
    expect(got.slice(2 * plane)).toEqual(image.data.slice(2 * plane));
    expect(got.slice(plane, 2 * plane)).not.toEqual(image.data.slice(plane, 2 * plane));
  }
});

test("bad options are refused", () => {
  expect(() => new DrawAugmentation({ size: [8, 8], noise: { prob: 2, range: [0, 1] } })).toThrow(ConfigError);
  expect(() => new DrawAugmentation({ size: [8, 8], noise: { prob: 1, range: [1, 0] } })).toThrow(ConfigError);
  expect(() => new DrawAugmentation({ size: [8, 8], mirrorAxes: [2] })).toThrow(ConfigError);
  expect(() => new DrawAugmentation({ size: [8, 8] }).apply({ image: wave(1, 8, 8, 8) })).toThrow(ShapeError);
  expect(() =>
    scope(() =>
      augmentBatch(
        { image: gpu.empty([1, 1, 8, 8]), label: gpu.empty([1, 1, 8, 8]), augmentMatrix: gpu.empty([1, 3, 4]) },
        { size: [8, 8] },
      ),
    ),
  ).toThrow(ShapeError);
});

test("an image and its labels moved at once are those moved one by one", async () => {
  const random = new RandomState(2);
  const tensor = (...shape: number[]) => gpu.tensor({ data: new Float32Array(random.normal(0, 1, sizeOf(shape))), shape });
  for (const [spatial, size] of [
    [
      [7, 6, 9],
      [5, 8, 70],
    ],
    [
      [20, 11],
      [9, 12],
    ],
    [[30], [41]],
  ]) {
    const axes = spatial.length;
    const [x, labels] = [tensor(2, 3, ...spatial), tensor(2, 2, ...spatial)];
    const matrix = tensor(2, axes, axes + 1);
    for (const displacement of [undefined, tensor(2, axes, ...size)]) {
      for (const paddingMode of ["zeros", "border", "reflection"] as const) {
        const options = { size, paddingMode, ...(displacement && { displacement }) };
        const both = warpBoth(x, labels, matrix, options);
        const alone = [warp(x, matrix, options), warp(labels, matrix, { ...options, mode: "nearest" })];
        for (const k of [0, 1]) expect(await both[k].data()).toEqual(await alone[k].data());
      }
    }
  }
});

test("statistics of channels, also far from zero, of one value and with one element that lies apart", async () => {
  for (const shape of [
    [2, 2, 5],
    [1, 2, 37, 41],
    [2, 1, 20, 30, 17],
  ]) {
    const plane = sizeOf(shape.slice(2));
    const data = new Float32Array(new RandomState(3).normal(1_000, 0.5, sizeOf(shape)));
    data.fill(7, plane);
    data[0] = -5e4;
    const { statistics, deviation } = channelStatistics(gpu.tensor({ data, shape }));
    const [got, sd] = [await statistics.data(), await deviation.data()];
    for (let c = 0; c < shape[0] * shape[1]; c++) {
      const part = [...data.subarray(c * plane, (c + 1) * plane)];
      const mean = part.reduce((a, v) => a + v, 0) / plane;
      const wanted = Math.sqrt(part.reduce((a, v) => a + (v - mean) ** 2, 0) / plane);
      expect([...got.subarray(3 * c + 1, 3 * c + 3)]).toEqual([Math.min(...part), Math.max(...part)]);
      // Float32 of the largest value there is.
      expect(Math.abs(got[3 * c] - mean)).toBeLessThanOrEqual(1e-6 * Math.max(...part.map(Math.abs)));
      // What lies apart and is the first of its share costs as many digits as that has elements.
      expect(Math.abs(sd[c] - wanted)).toBeLessThanOrEqual(6e-8 * 6 * Math.ceil(Math.sqrt(plane)) * wanted);
    }
  }
});
