/** @file Windows on the device against windows on the host, with much memory and with little. */

import { afterAll, beforeAll, expect, it } from "vitest";
import { argmaxPlanes } from "../../../src/host/argmax.ts";
import { type HostArray, sizeOf } from "../../../src/host/array.ts";
import { makeVolume } from "../../../src/data/volume.ts";
import { ConfigError, OutOfMemoryError, ShapeError } from "../../../src/host/errors.ts";
import { type Device, mul, type Tensor } from "../../../src/index.ts";
import { manualSeed, Module } from "../../../src/nn/index.ts";
import { DeviceWindows, type DeviceWindowsOptions } from "../../../src/seg/inference/device_windows.ts";
import { Predictor } from "../../../src/seg/inference/predictor.ts";
import { SliceInferer, SlidingWindowInferer } from "../../../src/seg/inference/inferers.ts";
import { slidingWindowInference } from "../../../src/seg/inference/sliding_window.ts";
import { UNet } from "../../../src/seg/networks/unet.ts";
import { expectClose } from "../../lib/compare.ts";
import { device } from "../../lib/device.ts";

let gpu: Device;
let network: UNet;

const image = (...shape: number[]): HostArray<Float32Array> => ({
  data: Float32Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(0.37 * i) + Math.cos(0.011 * i)),
  shape,
});

const unet = (spatialDims: 2 | 3, outChannels = 3): UNet =>
  new UNet(gpu, { spatialDims, inChannels: 2, outChannels, channels: [4, 8], strides: [2] });

async function onHost(x: HostArray, model: Module, options: DeviceWindowsOptions): Promise<HostArray<Float32Array>> {
  const predictor = new Predictor(gpu, model);
  try {
    return await slidingWindowInference({ data: x.data, shape: [1, ...x.shape] }, options, predictor);
  } finally {
    predictor.dispose();
  }
}

beforeAll(async () => {
  gpu = await device();
  manualSeed(3);
  network = unet(3);
});
afterAll(() => network.dispose());

const options = { roiSize: [8, 8, 8], overlap: 0.5, mode: "gaussian", swBatchSize: 3 } as const;

it("sums as the host does, and decides what the host decides, however little memory there is", async () => {
  const x = image(2, 21, 19, 12);
  const wanted = await onHost(x, network, options);
  const plenty = new DeviceWindows(gpu, network, options);
  const all = await plenty.run(x, { decision: "largest", scores: true });
  plenty.dispose();
  expectClose("scores", all.scores!.data, wanted.data, 1e-6);
  expect(all.scores!.shape).toEqual([3, 21, 19, 12]);
  expect(all.codes!.shape).toEqual([1, 21, 19, 12]);
  expect(all.codes!.data).toEqual(argmaxPlanes(wanted.data, 3, new Uint8Array(sizeOf([21, 19, 12]))));

  const { networkBytes, imageBytes, sumBytes } = await plenty.plan(x.shape);
  plenty.dispose();
  const shapes: string[] = [];
  for (const share of [0.7, 0.3, 0.05]) {
    const maxBytes = networkBytes + share * (imageBytes + sumBytes);
    const little = new DeviceWindows(gpu, network, { ...options, maxBytes });
    const plan = await little.plan(x.shape);
    expect(plan.peakBytes).toBeLessThanOrEqual(maxBytes);
    shapes.push(`${plan.planes} planes, ${plan.bands} bands`);
    const { codes } = await little.run(x, { decision: "largest" });
    little.dispose();
    expect(codes!.data).toEqual(all.codes!.data);
  }
  expect(shapes).toEqual(["8 planes, 1 bands", "12 planes, 2 bands", "8 planes, 7 bands"]);
});

it("takes images smaller than the window, of one to three axes, and 2-D networks on volumes", async () => {
  const small = image(2, 5, 9, 8);
  const padded = { ...options, paddingMode: "replicate" } as const;
  const windows = new DeviceWindows(gpu, network, padded);
  const { scores } = await windows.run(small, { scores: true });
  windows.dispose();
  expectClose("padded", scores!.data, (await onHost(small, network, padded)).data, 1e-6);
  expect(scores!.shape).toEqual([3, 5, 9, 8]);

  const flat = unet(2);
  const plane = image(2, 21, 13);
  const two = { ...options, roiSize: [8, 8] };
  const onPlane = new DeviceWindows(gpu, flat, two);
  expectClose("2-D", (await onPlane.run(plane, { scores: true })).scores!.data, (await onHost(plane, flat, two)).data, 1e-6);
  onPlane.dispose();

  const volume = image(2, 9, 3, 12);
  const slices = new DeviceWindows(gpu, flat, { ...options, roiSize: [8, 1, 8], sliceAxis: 1 });
  const predictor = new Predictor(gpu, flat);
  const inferer = new SliceInferer({ ...options, roiSize: [8, 8], spatialDim: 1 });
  const wanted = await inferer.run({ data: volume.data, shape: [1, ...volume.shape] }, predictor);
  expectClose("slices", (await slices.run(volume, { scores: true })).scores!.data, wanted.data, 1e-6);
  slices.dispose();
  predictor.dispose();
  flat.dispose();
});

it("averages mirrored images and several networks", async () => {
  const x = image(2, 8, 11, 8);
  const other = unet(3);
  // Heavier towards one corner, so that weights that were mirrored too would show.
  const roiWeightMap = { data: Float32Array.from({ length: 512 }, (_, i) => 1 + (i % 8) + 0.1 * (i >> 6)), shape: [8, 8, 8] };
  const windows = new DeviceWindows(gpu, [network, other], { ...options, roiWeightMap, mirrorAxes: [0, 2] });
  const { scores } = await windows.run(x, { scores: true });
  windows.dispose();
  const wanted = new Float32Array(scores!.data.length);
  for (const model of [network, other]) {
    for (const flips of [[], [1], [3], [1, 3]]) {
      // The host's weights are mirrored with its image: they start mirrored.
      const weights = mirrored({ ...roiWeightMap, shape: [1, 8, 8, 8] }, flips);
      const own = { ...options, roiWeightMap: { ...weights, shape: [8, 8, 8] } };
      const y = mirrored(await onHost(mirrored(x, flips), model, own), flips, 1);
      for (let i = 0; i < wanted.length; i++) wanted[i] += y.data[i] / 8;
    }
  }
  expectClose("mirrored", scores!.data, wanted, 2e-6);
  other.dispose();
});

it("averages quarter turns and their mirror images, each once", async () => {
  const x = image(2, 8, 11, 8);
  const turning = { ...options, rot90Axes: [0, 2], mirrorAxes: [2] } as const;
  const windows = new DeviceWindows(gpu, network, turning);
  const { scores } = await windows.run(x, { scores: true });
  expect((await windows.plan(x.shape)).passes).toBe(8);
  windows.dispose();
  // A window of all planes and columns, so that turning windows is turning the image.
  const wanted = new Float32Array(scores!.data.length);
  for (const flips of [[], [1], [3], [1, 3]]) {
    for (const swap of [false, true]) {
      const seen = mirrored(swap ? swapped(x) : x, flips);
      const back = mirrored(await onHost(seen, network, options), flips, 1);
      const y = swap ? swapped({ data: back.data, shape: back.shape.slice(1) }) : back;
      for (let i = 0; i < wanted.length; i++) wanted[i] += y.data[i] / 8;
    }
  }
  expectClose("turned", scores!.data, wanted, 2e-6);
  await expect(
    new DeviceWindows(gpu, network, { ...options, roiSize: [8, 8, 6], rot90Axes: [0, 2] }).plan(x.shape),
  ).rejects.toThrow(ConfigError);
});

it("is what inferers use for networks; a volume comes back in its place", async () => {
  const affine = [
    [0, 2, 0, -7],
    [-1, 0, 0, 4],
    [0, 0, 3, 1],
    [0, 0, 0, 1],
  ];
  const x = makeVolume(image(2, 11, 9, 8), affine);
  const inferer = new SlidingWindowInferer(options);
  const wanted = (await onHost(x, network, options)).data;
  const volume = await inferer.run(x, network);
  expectClose("volume", volume.data, wanted, 1e-6);
  expect([volume.affine, volume.shape]).toEqual([affine, [3, 11, 9, 8]]);
  const twice = { data: new Float32Array([...x.data, ...x.data]), shape: [2, ...x.shape] };
  const scores = await inferer.run(gpu.tensor(twice), network);
  expectClose("tensor", scores.data, [...wanted, ...wanted], 1e-6);
  const flat = unet(2);
  const predictor = new Predictor(gpu, flat);
  const slices = new SliceInferer({ roiSize: [8, 8], overlap: 0.5, spatialDim: 2 });
  expectClose("slices", (await slices.run(x, flat)).data, (await slices.run(x, predictor)).data, 1e-6);
  predictor.dispose();
  flat.dispose();
});

it("gives sets of positive channels, and stops when it is told to", async () => {
  const x = image(2, 8, 12, 8);
  const windows = new DeviceWindows(gpu, network, options);
  const { codes, scores } = await windows.run(x, { decision: "positive", scores: true });
  const voxels = codes!.data.length;
  for (let i = 0; i < voxels; i++) {
    const set = [0, 1, 2].reduce((bits, c) => bits | (scores!.data[c * voxels + i] > 0 ? 1 << c : 0), 0);
    if (set !== codes!.data[i]) throw new Error(`voxel ${i}: ${codes!.data[i]}, expected ${set}`);
  }
  const stop = new AbortController();
  const run = windows.run(image(2, 40, 12, 8), {
    decision: "largest",
    signal: stop.signal,
    onProgress: (done) => done >= 6 && stop.abort(new Error("enough")),
  });
  await expect(run).rejects.toThrow("enough");
  windows.dispose();
});

class Halved extends Module {
  forward(x: Tensor): Tensor {
    return mul(x.view([x.shape[0], x.shape[1] / 2, ...x.shape.slice(2, -1), x.shape.at(-1)! * 2]), 1);
  }
}

it("refuses what cannot work before it starts", async () => {
  const windows = (more: Partial<DeviceWindowsOptions>, model: Module = network) =>
    new DeviceWindows(gpu, model, { ...options, ...more });
  const x = image(2, 16, 16, 16);
  await expect(windows({ maxBytes: 1000 }).run(x, {})).rejects.toThrow(OutOfMemoryError);
  await expect(windows({ mirrorAxes: [3] }).run(x, {})).rejects.toThrow(ConfigError);
  await expect(windows({}, new Halved()).run(x, {})).rejects.toThrow(ShapeError);
  expect(() => windows({ swBatchSize: 0 })).toThrow(ConfigError);
  await expect(windows({}).run(image(2, 2, 2, 2, 2), {})).rejects.toThrow(ShapeError);
});

/** With these axes of the array from their other end. */
function mirrored(x: HostArray, axes: readonly number[], lead = 0): HostArray<Float32Array> {
  const shape = x.shape;
  const out = new Float32Array(x.data.length);
  for (let i = 0; i < out.length; i++) {
    let [rest, from, stride] = [i, 0, 1];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const at = rest % shape[axis];
      rest = Math.floor(rest / shape[axis]);
      from += (axes.includes(axis - lead) ? shape[axis] - 1 - at : at) * stride;
      stride *= shape[axis];
    }
    out[i] = x.data[from];
  }
  return { data: out, shape };
}

/** `[C, a, b, c]` as `[C, c, b, a]`. */
function swapped({ data, shape }: HostArray): HostArray<Float32Array> {
  const [channels, a, b, c] = shape;
  const out = new Float32Array(data.length);
  for (let k = 0, i = 0; k < channels; k++)
    for (let z = 0; z < c; z++)
      for (let y = 0; y < b; y++) for (let x = 0; x < a; x++, i++) out[i] = data[((k * a + x) * b + y) * c + z];
  return { data: out, shape: [channels, c, b, a] };
}
