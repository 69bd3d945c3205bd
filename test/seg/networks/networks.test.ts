/** @file MONAI's networks against MONAI: names, initial weights, forward, gradients, running statistics. Fixture: make_networks.py. */

import { expect, test } from "vitest";
import { ConfigError, type Device, grad, mean, mul, ShapeError, type Tensor, type HostArray } from "../../../src/index.ts";
import { manualSeed, type Module } from "../../../src/nn/index.ts";
import { AttentionUnet, BasicUNet, BasicUNetPlusPlus, DynUNet, SegResNet, UNet, VNet } from "../../../src/seg/index.ts";
import { device } from "../../lib/device.ts";
import { readFixture } from "../../lib/fixture.ts";
import { camel } from "../../lib/names.ts";
import { difference, type Summary, wave } from "./reference.ts";

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

const { nets } = readFixture<{ nets: Spec[] }>("networks.json");

const options = (args: object): Record<string, unknown> => {
  const inner = (v: unknown): unknown => (Array.isArray(v) ? v.map(inner) : typeof v === "object" && v !== null ? options(v) : v);
  return Object.fromEntries(Object.entries(args).map(([k, v]) => [camel(k), inner(v)]));
};

function magnitudes(data: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < data.length; i++) sum += Math.abs(data[i]);
  return sum;
}

/** What the fixture holds of a tensor: its values at evenly spread positions. */
function stored({ shape, size }: Tensor, [max, norm, values]: Values): Summary {
  const place = (i: number) => (size > values.length ? Math.floor((i * (size - 1)) / Math.max(1, values.length - 1)) : i);
  return { shape, max, norm, samples: values.map((v, i) => [place(i), v]) };
}

/** Difference of a tensor to what is stored, relative to the largest magnitude or to a `floor` for each element. */
const differs = (t: Tensor, values: Values, floor = 0): Promise<number> =>
  difference(t, stored(t, values), floor, floor * Math.sqrt(t.size));

async function check(dev: Device, net: Module, state: Map<string, HostArray>, spec: Spec, mode: string): Promise<void> {
  const want = spec.modes[mode];
  net.loadStateDict(state);
  net.train(mode === "train");
  const x = dev.tensor(wave(spec.input_shape, 1, 0.11, 0.3));
  x.requiresGrad = true;
  const output = net.forward(x);
  const [shape, ...values] = want.output;
  expect(output.shape).toEqual(shape);
  expect(await differs(output, values)).toBeLessThan(1e-5);
  const loss = mean(mul(output, dev.tensor(wave(output.shape, 1, 0.53, 1))));
  const named = net.namedParameters().filter(([name]) => name in want.grads);
  expect(named.map(([name]) => name)).toEqual(Object.keys(want.grads));
  const [dx, ...gradients] = grad(loss, [x, ...named.map(([, t]) => t)]);
  expect(await differs(dx, want.grad_input.slice(1) as unknown as Values)).toBeLessThan(1e-4);
  const overall = Math.max(...Object.values(want.grads).map(([largest]) => largest));
  for (const [i, [name]] of named.entries()) {
    // Biases before a norm have the gradient 0, where only rounding noise is left; torch's own is as large in float32.
    const floor = overall * (want.grads[name][0] < 1e-6 * overall ? 1e-1 : 1e-2);
    expect(await differs(gradients[i], want.grads[name], floor), `gradient of ${name}`).toBeLessThan(1e-4);
  }
  const tensors = new Map<string, Tensor>(net.namedTensors());
  for (const [name, v] of Object.entries(want.buffers))
    expect(await differs(tensors.get(name)!, v, 1e-3), name).toBeLessThan(1e-5);
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

test("BasicUNetPlusPlus starts as MONAI's, and gives four depths where they are asked for", async () => {
  const dev = await device();
  const shared = { spatialDims: 2, features: [4, 4, 5, 6, 7, 5] } as const;
  manualSeed(0);
  const [net, deep] = [{}, { deepSupervision: true }].map((more) => new BasicUNetPlusPlus(dev, { ...shared, ...more }));
  // First, last and sum of magnitudes after torch.manual_seed(0).
  const initial: Readonly<Record<string, readonly number[]>> = {
    "conv_0_0.conv_0.conv.weight": [-0.0024956, -0.312187, 5.908268],
    "upcat_0_1.upsample.deconv.weight": [-0.0476906, 0.0010438, 7.632979],
    "upcat_3_1.convs.conv_1.conv.bias": [-0.10037, -0.0333511, 0.340761],
    "upcat_0_4.convs.conv_0.conv.weight": [-0.055114, -0.0145875, 33.691896],
    "final_conv_0_4.bias": [0.0094194, -0.363539, 0.372958],
  };
  const tensors = new Map(net.namedTensors());
  expect(tensors.size).toBe(148);
  for (const [name, want] of Object.entries(initial)) {
    const data = await tensors.get(name)!.data();
    [data[0], data[data.length - 1], magnitudes(data)].forEach((v, k) => expect(v, name).toBeCloseTo(want[k], 5));
  }
  deep.loadStateDict(await net.stateDict());
  const x = dev.tensor(wave([1, 1, 33, 32], 1, 0.11, 0.3));
  const [last, depths] = [net.forward(x), deep.forwardAll(x)];
  expect(depths.map(({ shape }) => shape)).toEqual(Array.from({ length: 4 }, () => [1, 2, 33, 32]));
  expect(await depths[3].data()).toEqual(await last.data());
  expect(net.forwardAll(x)).toHaveLength(1);
  expect(() => net.forward(dev.tensor(wave([1, 1, 8, 32], 1, 0.11, 0.3)))).toThrow(/^BasicUNetPlusPlus: .*four poolings/);
});

test("arguments that do not fit are named", async () => {
  const dev = await device();
  const dyn = { spatialDims: 2, inChannels: 1, outChannels: 1, kernelSize: [3, 3, 3], strides: [1, 2, 2] } as const;
  const levels = { spatialDims: 2, inChannels: 1, outChannels: 1 } as const;
  expect(() => new BasicUNet(dev, { features: [4, 4] })).toThrow(ShapeError);
  expect(() => new BasicUNet(dev, { spatialDims: 4 as never })).toThrow(ConfigError);
  expect(() => new BasicUNetPlusPlus(dev, { features: [4, 4] })).toThrow(/^BasicUNetPlusPlus: features/);
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
