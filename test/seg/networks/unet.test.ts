/** @file UNet against MONAI: names, initial weights, forward, every gradient, and the losses of Adam steps. Fixtures: make_unet.py. */

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { capture, type Device, grad, ShapeError, type Tensor } from "../../../src/index.ts";
import { Adam, diceLoss, manualSeed } from "../../../src/nn/index.ts";
import { readSafetensors } from "../../../src/weights/index.ts";
import { UNet, type UNetOptions } from "../../../src/seg/networks/unet.ts";
import { device } from "../../lib/device.ts";
import { camelKeys } from "../../lib/names.ts";

const folder = new URL("../../fixtures/", import.meta.url);
const { nets } = JSON.parse(readFileSync(new URL("unet2d.json", folder), "utf8"));

const options = (args: Record<string, unknown>) => camelKeys(args) as UNetOptions;

const largest = (values: ArrayLike<number>): number => Array.from(values).reduce((m, v) => Math.max(m, Math.abs(v)), 0);

function relative(got: ArrayLike<number>, want: ArrayLike<number>, floor = 0): number {
  expect(got.length).toBe(want.length);
  let worst = 0;
  for (let i = 0; i < want.length; i++) worst = Math.max(worst, Math.abs(got[i] - want[i]));
  return worst / Math.max(largest(want), floor);
}

function trainer(dev: Device, net: UNet, image: Tensor, label: Tensor) {
  const parameters = net.parameters();
  const adam = new Adam(parameters, { lr: 5e-3 });
  const step = capture(dev, (x, y) => {
    const loss = diceLoss(net.forward(x), y, { sigmoid: true });
    adam.step(grad(loss, parameters));
    return loss;
  });
  return { step: () => step(image, label).item(), dispose: () => (step.dispose(), adam.dispose()) };
}

for (const spec of nets.filter((n: { name: string }) => n.name !== "unet2d_recipe")) {
  test(`${spec.name}: forward, gradients and Adam steps equal MONAI's`, async () => {
    const dev = await device();
    const file = readSafetensors(readFileSync(new URL(spec.file, folder))).tensors;
    const net = new UNet(dev, options(spec.args));
    expect([...net.namedTensors()].map(([name, t]) => [name, t.shape])).toEqual(spec.state_dict);
    expect(net.parameterCount).toBe(spec.num_parameters);
    net.loadStateDict(new Map([...file].filter(([k]) => k.startsWith("param.")).map(([k, v]) => [k.slice(6), v])));

    const image = dev.tensor(file.get("input")!);
    const label = dev.tensor(file.get("label")!);
    image.requiresGrad = true;
    const output = net.forward(image);
    expect(relative(await output.data(), file.get("output")!.data)).toBeLessThan(1e-5);
    const loss = diceLoss(output, label, { sigmoid: true });
    expect(await loss.item()).toBeCloseTo(spec.loss.value, 6);
    const named = net.namedParameters();
    const gradients = grad(loss, [image, ...named.map(([, t]) => t)]);
    const overall = Math.max(...named.map(([name]) => spec.grad[name].grad_max));
    expect(relative(await gradients[0].data(), file.get("grad_input")!.data)).toBeLessThan(1e-4);
    for (const [i, [name]] of named.entries()) {
      // Biases before instance norm have the gradient 0, where only rounding noise is left.
      const error = relative(await gradients[i + 1].data(), file.get(`grad.${name}`)!.data, 1e-2 * overall);
      expect(error, name).toBeLessThan(1e-4);
    }
    image.requiresGrad = false;
    const { step, dispose } = trainer(dev, net, image, label);
    const losses: number[] = [];
    for (let k = 0; k < 20; k++) losses.push(await step());
    expect(relative(losses, spec.adam.losses)).toBeLessThan(1e-4);
    dispose();
    net.dispose();
  });
}

test("the recipe's net: 401,288 parameters, the same initial weights as MONAI for one seed", async () => {
  const dev = await device();
  const spec = nets.find((n: { name: string }) => n.name === "unet2d");
  const file = readSafetensors(readFileSync(new URL(spec.file, folder))).tensors;
  manualSeed(0);
  const net = new UNet(dev, options(spec.args));
  for (const [name, value] of await net.stateDict()) expect(value.data, name).toEqual(file.get(`param.${name}`)!.data);
  const recipe = new UNet(dev, {
    spatialDims: 2,
    inChannels: 1,
    outChannels: 1,
    channels: [16, 32, 64, 128],
    strides: [2, 2, 2],
    numResUnits: 2,
  });
  expect(recipe.parameterCount).toBe(401_288);
  net.dispose();
  recipe.dispose();
});

test("arguments that do not fit are named", async () => {
  const dev = await device();
  const base = { spatialDims: 2, inChannels: 1, outChannels: 1 } as const;
  expect(() => new UNet(dev, { ...base, channels: [4], strides: [] })).toThrow(ShapeError);
  expect(() => new UNet(dev, { ...base, channels: [4, 8], strides: [] })).toThrow(/1 strides, got 0/);
  const net = new UNet(dev, { ...base, channels: [4, 8, 8], strides: [2, 2] });
  expect(() => net.forward(dev.empty([1, 1, 18, 16]))).toThrow(/multiples of 4,/);
  expect(() => net.forward(dev.empty([1, 2, 16, 16]))).toThrow(/1 channels/);
  net.dispose();
});
