/** @file Sliding windows on images and devices that are not as they should be, and networks that are in use elsewhere. */

import { afterAll, beforeAll, expect, it } from "vitest";
import { argmaxPlanes } from "../../../src/host/argmax.ts";
import { type HostArray, sizeOf } from "../../../src/host/array.ts";
import { ConfigError, DeviceLostError, OutOfMemoryError } from "../../../src/host/errors.ts";
import { capture, type Device, mean, openDevice, square, type Tensor } from "../../../src/index.ts";
import { BatchNorm, Conv, manualSeed, Sequential, SGD } from "../../../src/nn/index.ts";
import { exportOnnx } from "../../../src/onnx/index.ts";
import { CoreWindows } from "../../../src/seg/inference/core_windows.ts";
import { DeviceWindows } from "../../../src/seg/inference/device_windows.ts";
import { Predictor } from "../../../src/seg/inference/predictor.ts";
import { slidingWindowInference } from "../../../src/seg/inference/sliding_window.ts";
import { SlidingWindowInferer } from "../../../src/seg/index.ts";
import { UNet } from "../../../src/seg/networks/unet.ts";
import { expectClose } from "../../lib/compare.ts";
import { device } from "../../lib/device.ts";

let gpu: Device;
let network: Sequential;

const conv = (on: Device, inChannels: number, outChannels: number): Conv =>
  new Conv(on, { spatialDims: 3, inChannels, outChannels, kernelSize: 3, padding: 1 });

beforeAll(async () => {
  gpu = await device();
  manualSeed(5);
  network = new Sequential([conv(gpu, 2, 4), new BatchNorm(gpu, 4), conv(gpu, 4, 3)]);
});
afterAll(() => network.dispose());

const image = (...shape: number[]): HostArray<Float32Array> => ({
  data: Float32Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(0.37 * i) + Math.cos(0.011 * i)),
  shape,
});

const options = { roiSize: [8, 8, 8], overlap: 0.5, mode: "gaussian", swBatchSize: 2 } as const;

async function onHost(x: HostArray): Promise<HostArray<Float32Array>> {
  const predictor = new Predictor(gpu, network);
  try {
    return await slidingWindowInference({ data: x.data, shape: [1, ...x.shape] }, options, predictor);
  } finally {
    predictor.dispose();
  }
}

it("takes axes of one voxel, and voxels that are no numbers reach no further than their windows", async () => {
  const windows = new DeviceWindows(gpu, network, options);
  const thin = image(2, 1, 19, 1);
  expectClose("thin", (await windows.run(thin, { scores: true })).scores!.data, (await onHost(thin)).data, 1e-6);

  const x = image(2, 24, 8, 8);
  const clean = await windows.run(x, { decision: "largest", scores: true });
  x.data[(3 * 8 + 4) * 8 + 4] = NaN; // in the windows that start at 0
  const { codes, scores } = await windows.run(x, { decision: "largest", scores: true });
  const wanted = (await onHost(x)).data;
  expect(codes!.data).toEqual(argmaxPlanes(wanted, 3, new Uint8Array(24 * 64)));
  const [far, voxels] = [8 * 64, 24 * 64];
  for (let i = 0; i < scores!.data.length; i++) {
    if (Number.isNaN(scores!.data[i]) !== Number.isNaN(wanted[i])) throw new Error(`${i}: ${scores!.data[i]}, host ${wanted[i]}`);
    if (i % voxels >= far && scores!.data[i] !== clean.scores!.data[i]) throw new Error(`${i} changed`);
  }
  // What is left in buffers of such a run reaches no later one, also where planes are a ring.
  const { networkBytes, imageBytes, sumBytes, resultBytes } = await windows.plan(x.shape);
  windows.dispose();
  const little = new DeviceWindows(gpu, network, {
    ...options,
    maxBytes: networkBytes + 0.5 * (imageBytes + sumBytes) + resultBytes,
  });
  expect((await little.plan(x.shape)).planes).toBeLessThan(24);
  expect((await little.run(x, { decision: "largest" })).codes!.data).toEqual(codes!.data);
  expect((await little.run(image(2, 24, 8, 8), { decision: "largest" })).codes!.data).toEqual(clean.codes!.data);
  little.dispose();
});

it("leaves modules in their modes, while runs go on and behind those that overlap", async () => {
  network.train();
  const frozen = [...network.modules()].find((m) => m instanceof BatchNorm)!.eval();
  const x = image(2, 8, 12, 20);
  const windows = [0, 1].map(() => new DeviceWindows(gpu, network, options));
  const predictor = new Predictor(gpu, network);
  const runs = Promise.all([
    windows[0].run(image(2, 8, 8, 8), { scores: true }),
    windows[1].run(x, { scores: true }),
    new SlidingWindowInferer({ roiSize: [8, 8, 8] }).run({ data: x.data, shape: [1, ...x.shape] }, predictor),
    new CoreWindows(gpu, network).run(x),
    exportOnnx(network, [1, 2, 8, 8, 8]),
  ]);
  // What others do meanwhile meets the modes that they set themselves.
  expect([network.training, frozen.training]).toEqual([true, false]);
  network.eval();
  await gpu.settle();
  expect([network.training, frozen.training]).toEqual([false, false]);
  network.train();
  frozen.eval();
  const [a, b] = await runs;
  expect([network.training, frozen.training]).toEqual([true, false]);
  network.train();
  expectClose("alone", (await windows[0].run(image(2, 8, 8, 8), { scores: true })).scores!.data, a.scores!.data, 0);
  expectClose("alone", (await windows[1].run(x, { scores: true })).scores!.data, b.scores!.data, 0);
  expect(frozen.training).toBe(true);
  for (const w of [...windows, predictor]) w.dispose();
});

it("a step that trains while an image is segmented does as without", async () => {
  const trained = async (meanwhile: boolean) => {
    manualSeed(3);
    const model = new UNet(gpu, { spatialDims: 2, inChannels: 1, outChannels: 2, channels: [4, 8], strides: [2], norm: "BATCH" });
    const sgd = new SGD(model.parameters(), { lr: 0.1 });
    const step = capture(gpu, (x: Tensor) => {
      const loss = mean(square(model.forward(x)));
      sgd.minimize(loss);
      return loss;
    });
    const predictor = new Predictor(gpu, model);
    const inferer = new SlidingWindowInferer({ roiSize: [8, 8], swBatchSize: 1 });
    const run = meanwhile ? inferer.run(image(1, 1, 24, 24), predictor) : undefined;
    const losses: number[] = [];
    for (let i = 0; i < 3; i++) losses.push(await step(image(2, 1, 16, 16)).item());
    await run;
    predictor.dispose();
    step.dispose();
    return losses;
  };
  expect(await trained(true)).toEqual(await trained(false));
});

it("stops before another batch once it is told to", async () => {
  const windows = new DeviceWindows(gpu, network, options);
  const stop = new AbortController();
  const told: number[] = [];
  const onProgress = (done: number): void => {
    told.push(done);
    if (done === 4) stop.abort(new Error("enough"));
  };
  await expect(windows.run(image(2, 40, 8, 8), { signal: stop.signal, onProgress, decision: "largest" })).rejects.toThrow(
    "enough",
  );
  expect(told).toEqual([2, 4]);
  windows.dispose();
});

it("says what a window would need where not even one fits", async () => {
  const windows = new DeviceWindows(gpu, network, { ...options, swBatchSize: 1 });
  const { networkBytes } = await windows.plan([2, 24, 8, 8]);
  windows.dispose();
  const told = async (maxBytes: number): Promise<string> => {
    const w = new DeviceWindows(gpu, network, { ...options, swBatchSize: 1, maxBytes });
    const error = await w.run(image(2, 24, 8, 8), { decision: "largest" }).catch((e: unknown) => e);
    w.dispose();
    expect(error).toBeInstanceOf(OutOfMemoryError);
    return (error as Error).message;
  };
  expect(await told(networkBytes / 2)).toMatch(/the network needs \d.* for windows \[1,2,8,8,8\], .* are allowed/);
  expect(await told(networkBytes + 1000)).toMatch(
    /windows of \[8,8,8\] of an image \[24,8,8\] need at least \d.* for image, sums and results/,
  );
});

it("refuses windows that are no whole voxels and memory that is none", () => {
  for (const wrong of [{ roiSize: [8, 7.5, 8] }, { roiSize: NaN }, { maxBytes: NaN }, { maxBytes: 0 }])
    expect(() => new DeviceWindows(gpu, network, { ...options, ...wrong })).toThrow(ConfigError);
});

it("says that the device was lost in the middle of a run", async () => {
  const own = await openDevice();
  const layer = conv(own, 1, 2);
  const windows = new DeviceWindows(own, layer, options);
  const run = windows.run(image(1, 64, 8, 8), {
    decision: "largest",
    onProgress: (done) => {
      if (done === 4) own.gpu.destroy();
    },
  });
  await expect(run).rejects.toThrow(DeviceLostError);
  await expect(windows.run(image(1, 8, 8, 8), { decision: "largest" })).rejects.toThrow(DeviceLostError);
  own.close();
});
