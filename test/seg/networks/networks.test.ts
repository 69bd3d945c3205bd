/** @file MONAI's networks against MONAI: names, initial weights, forward, gradients, running statistics. Fixture: make_networks.py. */

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { ConfigError, type Device, grad, mean, mul, ShapeError, type Tensor, type HostArray } from "../../../src/index.ts";
import { manualSeed, type Module } from "../../../src/nn/index.ts";
import { AttentionUnet, BasicUNet, DynUNet, SegResNet, UNet, VNet } from "../../../src/seg/index.ts";
import { sizeOf } from "../../../src/host/array.ts";
import { device } from "../../lib/device.ts";

type Kind = "AttentionUnet" | "BasicUNet" | "DynUNet" | "SegResNet" | "UNet" | "VNet";
const kinds: Record<Kind, new (device: Device, options: any) => Module> = {
  AttentionUnet,
  BasicUNet,
  DynUNet,
  SegResNet,
  UNet,
  VNet,
};

/** Largest magnitude, norm, values at evenly spread positions. */
type Values = [number, number, number[]];
interface Mode {
  output: [number[], ...Values];
  grad_input: [number[], ...Values];
  grads: Record<string, Values>;
  buffers: Record<string, Values>;
}
interface Spec {
  kind: Kind;
  name: string;
  args: Record<string, unknown>;
  input_shape: number[];
  num_parameters: number;
  init: [number, number, number][];
  state: [string, number[], number | null, number, number][];
  modes: Record<string, Mode>;
}

const fixture = readFileSync(new URL("../../fixtures/networks.json", import.meta.url), "utf8");
const { nets } = JSON.parse(fixture) as { nets: Spec[] };

const camel = (name: string) => name.replace(/_(.)/g, (_, c: string) => c.toUpperCase());
const options = (args: object): Record<string, unknown> => {
  const inner = (v: unknown): unknown => (Array.isArray(v) ? v.map(inner) : typeof v === "object" && v !== null ? options(v) : v);
  return Object.fromEntries(Object.entries(args).map(([k, v]) => [camel(k), inner(v)]));
};

function wave(shape: readonly number[], a: number, b: number, c: number, d = 0): HostArray {
  const data = new Float32Array(sizeOf(shape));
  if (a !== 0 || d !== 0) for (let i = 0; i < data.length; i++) data[i] = d + a * Math.sin(b * (i + 1) + c);
  return { data, shape };
}

function magnitudes(data: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < data.length; i++) sum += Math.abs(data[i]);
  return sum;
}

/** Largest difference at the sampled positions and of the norm, relative to the largest magnitude there is. */
function difference(got: ArrayLike<number>, [largest, norm, samples]: Values, floor = 0): number {
  const n = got.length;
  const at = samples.map((_, i) => (n > samples.length ? Math.floor((i * (n - 1)) / Math.max(1, samples.length - 1)) : i));
  const worst = Math.max(...at.map((k, i) => Math.abs(got[k] - samples[i])));
  let squares = 0;
  for (let i = 0; i < n; i++) squares += got[i] * got[i];
  const scale = Math.max(largest, floor);
  return Math.max(worst / scale, Math.abs(Math.sqrt(squares) - norm) / Math.max(norm, floor * Math.sqrt(n)));
}

async function check(dev: Device, net: Module, state: Map<string, HostArray>, spec: Spec, mode: string): Promise<void> {
  const want = spec.modes[mode];
  net.loadStateDict(state);
  net.train(mode === "train");
  const x = dev.tensor(wave(spec.input_shape, 1, 0.11, 0.3));
  x.requiresGrad = true;
  const output = net.forward(x);
  const [shape, ...values] = want.output;
  expect(output.shape).toEqual(shape);
  expect(difference(await output.data(), values)).toBeLessThan(1e-5);
  const loss = mean(mul(output, dev.tensor(wave(output.shape, 1, 0.53, 1))));
  const named = net.namedParameters().filter(([name]) => name in want.grads);
  expect(named.map(([name]) => name)).toEqual(Object.keys(want.grads));
  const [dx, ...gradients] = grad(loss, [x, ...named.map(([, t]) => t)]);
  expect(difference(await dx.data(), want.grad_input.slice(1) as unknown as Values)).toBeLessThan(1e-4);
  const overall = Math.max(...Object.values(want.grads).map(([largest]) => largest));
  for (const [i, [name]] of named.entries()) {
    // Biases before a norm have the gradient 0, where only rounding noise is left; torch's own is as large in float32.
    const floor = overall * (want.grads[name][0] < 1e-6 * overall ? 1e-1 : 1e-2);
    expect(difference(await gradients[i].data(), want.grads[name], floor), `gradient of ${name}`).toBeLessThan(1e-4);
  }
  const tensors = new Map<string, Tensor>(net.namedTensors());
  for (const [name, v] of Object.entries(want.buffers))
    expect(difference(await tensors.get(name)!.data(), v, 1e-3), name).toBeLessThan(1e-5);
}

for (const spec of nets) {
  test(`${spec.kind}, ${spec.name}: names, initial weights, forward and gradients equal MONAI's`, async () => {
    const dev = await device();
    manualSeed(0);
    const net = new kinds[spec.kind](dev, options(spec.args));
    expect([...net.namedTensors()].map(([name, t]) => [name, t.shape])).toEqual(spec.state.map(([name, shape]) => [name, shape]));
    expect(net.parameterCount).toBe(spec.num_parameters);
    for (const [i, [name, t]] of [...net.namedTensors()].entries()) {
      const data = await t.data();
      const got = [data[0], data[data.length - 1], magnitudes(data)];
      // Normal draws differ in the last bits of log and cos.
      got.forEach((v, k) => expect(Math.abs(v - spec.init[i][k]), name).toBeLessThanOrEqual(1e-6 * spec.init[i][2]));
    }
    const state = new Map(
      spec.state.map(([k, shape, a, c, d]) => [k, a === null ? wave(shape, 0, 0, 0) : wave(shape, a, 0.9, c, d)]),
    );
    for (const mode of Object.keys(spec.modes)) await check(dev, net, state, spec, mode);
    net.dispose();
  });
}

test("arguments that do not fit are named", async () => {
  const dev = await device();
  const dyn = { spatialDims: 2, inChannels: 1, outChannels: 1, kernelSize: [3, 3, 3], strides: [1, 2, 2] } as const;
  const levels = { spatialDims: 2, inChannels: 1, outChannels: 1 } as const;
  expect(() => new BasicUNet(dev, { features: [4, 4] })).toThrow(ShapeError);
  expect(() => new BasicUNet(dev, { spatialDims: 4 as never })).toThrow(ConfigError);
  expect(() => new VNet(dev, { inChannels: 3 })).toThrow(/must divide 16/);
  expect(() => new VNet(dev, { spatialDims: 1 as never })).toThrow(ConfigError);
  expect(() => new SegResNet(dev, { blocksUp: [1] })).toThrow(/one level less/);
  expect(() => new SegResNet(dev, { upsampleMode: "bilinear" as never, initFilters: 8 })).toThrow(/unknown mode/);
  expect(() => new DynUNet(dev, { ...dyn, kernelSize: [3, 3], upsampleKernelSize: [2, 2] })).toThrow(ShapeError);
  expect(() => new DynUNet(dev, { ...dyn, upsampleKernelSize: [2] })).toThrow(/2 entries/);
  expect(() => new DynUNet(dev, { ...dyn, upsampleKernelSize: [2, 2], filters: [4] })).toThrow(/at least 3/);
  expect(() => new DynUNet(dev, { ...dyn, upsampleKernelSize: [2, 2], deepSupervision: true, deepSuprNum: 2 })).toThrow(
    ConfigError,
  );
  expect(() => new AttentionUnet(dev, { ...levels, channels: [4, 8], strides: [] })).toThrow(/1 strides, got 0/);
  const net = new SegResNet(dev, { spatialDims: 2, norm: "BATCH", blocksDown: [1, 1], blocksUp: [1], initFilters: 2 });
  expect(() => net.forward(dev.empty([1, 1, 7, 8]))).toThrow(/multiples of 2/);
  net.dispose();
});

test("V-Net in 2-D drops channels, never whole samples", async () => {
  const dev = await device();
  const net = new VNet(dev, { spatialDims: 2, dropoutProbDown: 0.9, dropoutProbUp: [0.9, 0.9] });
  const x = dev.tensor(wave([8, 16, 2, 2], 0, 0, 0, 1));
  const y = await new Map(net.namedModules()).get("up_tr32.dropout2")!.forward(x).data();
  const planes = Array.from({ length: 128 }, (_, p) => Array.from(y.subarray(4 * p, 4 * p + 4), (v) => v !== 0));
  for (const plane of planes) expect(new Set(plane).size).toBe(1);
  const kept = Array.from({ length: 8 }, (_, n) => planes.slice(16 * n, 16 * n + 16).filter(([v]) => v).length);
  expect(Math.max(...kept)).toBeLessThan(16);
  expect(kept.reduce((a, b) => a + b)).toBeGreaterThan(0);
  net.dispose();
});
