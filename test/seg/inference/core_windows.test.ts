/** @file Windows whose cores tile an image against the network on the whole image, and how far networks look. */

import { afterAll, beforeAll, expect, it } from "vitest";
import { noGrad } from "../../../src/autograd/tape.ts";
import { argmaxPlanes } from "../../../src/host/argmax.ts";
import { type HostArray, sizeOf } from "../../../src/host/array.ts";
import { ConfigError, OutOfMemoryError } from "../../../src/host/errors.ts";
import { type Device, fixedBatchNorm, relu } from "../../../src/index.ts";
import { Conv, manualSeed, Module, Sequential } from "../../../src/nn/index.ts";
import { CoreWindows } from "../../../src/seg/inference/core_windows.ts";
import { localityOf } from "../../../src/seg/inference/locality.ts";
import { Predictor } from "../../../src/seg/inference/predictor.ts";
import { MeshNet } from "../../../src/seg/networks/meshnet.ts";
import { UNet } from "../../../src/seg/networks/unet.ts";
import { expectClose } from "../../lib/compare.ts";
import { device } from "../../lib/device.ts";

let gpu: Device;
let network: MeshNet;
beforeAll(async () => {
  gpu = await device();
  manualSeed(4);
  network = new MeshNet(gpu, { inChannels: 2, outChannels: 21, channels: 5, dilations: [1, 2, 1] });
  // Statistics as after training.
  const state = new Map(await network.stateDict());
  for (const [name, { data, shape }] of state)
    if (name.endsWith("running_var")) state.set(name, { data: Float32Array.from(data, (_, i) => 0.02 + 0.01 * i), shape });
  network.loadStateDict(state);
});
afterAll(() => network.dispose());

const image = (...shape: number[]): HostArray<Float32Array> => ({
  data: Float32Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(0.37 * i) + Math.cos(0.011 * i)),
  shape,
});

async function whole(x: HostArray, model: Module): Promise<HostArray> {
  const predictor = new Predictor(gpu, model);
  try {
    return await predictor.predict({ data: x.data, shape: [1, ...x.shape] });
  } finally {
    predictor.dispose();
  }
}

it("gives what the network says of the whole image, however little memory there is", async () => {
  const x = image(2, 22, 19, 13);
  const wanted = argmaxPlanes((await whole(x, network)).data, 21, new Uint8Array(sizeOf([22, 19, 13])));
  expect(new Set(wanted).size).toBeGreaterThan(3);
  const plans: string[] = [];
  let bytes = 2 ** 31;
  for (let i = 0; i < 3; i++) {
    const windows = new CoreWindows(gpu, network, { maxBytes: bytes });
    const plan = await windows.plan(x.shape);
    plans.push(`${plan.windows} of ${plan.window.join("x")}`);
    expect(plan.peakBytes).toBeLessThanOrEqual(bytes);
    const done: number[] = [];
    const codes = await windows.run(x, { onProgress: (now) => done.push(now) });
    windows.dispose();
    expect(codes).toEqual({ data: wanted, shape: [1, 22, 19, 13] });
    expect(done.at(-1)).toBe(plan.windows);
    bytes = plan.peakBytes * 0.9;
  }
  expect(plans).toEqual(["1 of 22x19x13", "2 of 15x19x13", "3 of 13x19x13"]);
  const little = new CoreWindows(gpu, network, { maxBytes: 5000 });
  await expect(little.plan(x.shape)).rejects.toThrow(OutOfMemoryError);
});

it("takes planes, sets of channels, and networks without a last convolution", async () => {
  const flat = new Sequential([
    new Conv(gpu, { spatialDims: 2, inChannels: 1, outChannels: 3, kernelSize: [3, 5], padding: [1, 2] }),
    new (class extends Module {
      forward = relu;
    })(),
    new Conv(gpu, { spatialDims: 2, inChannels: 3, outChannels: 4, kernelSize: 3, padding: 1 }),
  ]);
  const x = image(1, 30, 40);
  const { data } = await whole(x, flat);
  const all = new CoreWindows(gpu, flat, { decision: "positive" });
  const { peakBytes } = await all.plan(x.shape);
  const windows = new CoreWindows(gpu, flat, { decision: "positive", maxBytes: 0.5 * peakBytes });
  expect((await windows.plan(x.shape)).windows).toBeGreaterThan(1);
  const codes = await windows.run(x);
  const wanted = codes.data.map((_, i) => [0, 1, 2, 3].reduce((bits, c) => bits | (data[c * 1200 + i] > 0 ? 1 << c : 0), 0));
  expect(codes.data).toEqual(wanted);
  const stop = AbortSignal.abort(new Error("enough"));
  await expect(windows.run(x, { signal: stop })).rejects.toThrow("enough");
  for (const w of [all, windows]) w.dispose();
  flat.dispose();
});

it("tells how far networks look, and which look everywhere", async () => {
  expect(localityOf(gpu, network, 2, 3)).toEqual({ halo: [4, 4, 4], head: [...network.modules()].at(-1) });
  const big = new MeshNet(gpu, { inChannels: 1, outChannels: 3, channels: 2 });
  expect(localityOf(gpu, big, 1, 3)!.halo).toEqual([46, 46, 46]);
  const unet = new UNet(gpu, { spatialDims: 3, inChannels: 1, outChannels: 2, channels: [2, 4], strides: [2] });
  expect(localityOf(gpu, unet, 1, 3)).toBeUndefined();
  await expect(new CoreWindows(gpu, unet).run(image(1, 8, 8, 8))).rejects.toThrow(ConfigError);
  for (const m of [big, unet]) m.dispose();
});

it("normalizes by fixed statistics in one pass as in several", async () => {
  const [x, mean, weight, bias] = [image(2, 3, 4, 5), image(3), image(3), image(3)].map((a) => gpu.tensor(a));
  const variance = gpu.tensor({ data: new Float32Array([0.5, 1, 2]), shape: [3] });
  x.requiresGrad = true;
  const several = fixedBatchNorm(x, weight, bias, mean, variance, { activation: "relu" });
  const one = noGrad(() => fixedBatchNorm(x, weight, bias, mean, variance, { activation: "relu" }));
  expect(several.origin).toBeDefined();
  expectClose("one pass", await one.data(), await several.data(), 1e-6);
});
