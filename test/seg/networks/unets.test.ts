/** @file The original and milesial's U-Net and MeshNet against PyTorch. Fixture: make_quicknat_unet.py. */

import { expect, test } from "vitest";
import { ConfigError, openDevice, ShapeError } from "../../../src/index.ts";
import { MeshNet } from "../../../src/seg/networks/meshnet.ts";
import { MilesialUNet } from "../../../src/seg/networks/milesial_unet.ts";
import { OriginalUNet } from "../../../src/seg/networks/original_unet.ts";
import { Plan } from "../../../src/tensor/plan.ts";
import { device } from "../../lib/device.ts";
import { readFixture } from "../../lib/fixture.ts";
import { expectNetwork, seeded, wave, type NetSpec } from "./reference.ts";

const nets: NetSpec[] = readFixture<any>("unets.json").nets;
const of = (kind: string) => nets.filter(({ name }) => name.startsWith(kind));

for (const spec of of("milesial")) {
  test(`${spec.name} equals PyTorch's`, async () => {
    const dev = await device();
    const { n_channels: inChannels, n_classes: outChannels, bilinear, widths: features } = spec.args;
    const net = seeded(() => new MilesialUNet(dev, { inChannels, outChannels, bilinear, features }));
    await expectNetwork(dev, spec, net);
    net.dispose();
  });
}

for (const spec of of("original")) {
  test(`${spec.name} equals PyTorch's`, async () => {
    const dev = await device();
    const {
      in_channels: inChannels,
      n_classes: outChannels,
      depth,
      wf,
      padding,
      batch_norm: batchNorm,
      up_mode: upMode,
    } = spec.args;
    const options = { inChannels, outChannels, depth, features: 2 ** wf, padding, batchNorm, upMode };
    const net = seeded(() => new OriginalUNet(dev, options));
    await expectNetwork(dev, spec, net);
    net.dispose();
  });
}

for (const spec of of("meshnet")) {
  test(`${spec.name} equals PyTorch's`, async () => {
    const dev = await device();
    const { in_channels: inChannels, out_channels: outChannels, channels, dilations, act, norm, bias } = spec.args;
    const net = seeded(() => new MeshNet(dev, { inChannels, outChannels, channels, dilations, act, norm, bias }));
    await expectNetwork(dev, spec, net);
    net.dispose();
  });
}

test("572 pixels become 388, as in the paper, and images too small are refused", async () => {
  const dev = await device();
  const net = new OriginalUNet(dev, { features: 2 });
  const size = (n: number) => {
    const plan = new Plan(dev, [dev.empty([1, 1, n, n])], (x) => net.forward(x));
    const { shape } = plan.result;
    plan.dispose();
    return shape;
  };
  expect(size(572)).toEqual([1, 2, 388, 388]);
  expect(size(188)).toEqual([1, 2, 4, 4]);
  expect(() => size(172)).toThrow(/too small for 5 levels/);
  expect(() => net.forward(dev.empty([1, 3, 572, 572]))).toThrow(ShapeError);
  expect(() => new OriginalUNet(dev, { upMode: "bilinear" as never })).toThrow(ConfigError);
  expect(() => new MilesialUNet(dev, { inChannels: 1, outChannels: 1, features: [4, 6] })).toThrow(/twice/);
  net.dispose();
});

test("MeshNet.infer holds two activations at a time", async () => {
  const dev = await openDevice();
  const net = new MeshNet(dev, {
    inChannels: 1,
    outChannels: 1,
    channels: 8,
    norm: null,
    dropout: 0.5,
    dilations: [1, 2, 4, 2, 1],
  }).eval();
  const x = dev.tensor(wave([1, 1, 32, 32, 32], 1, 0.11, 0.3));
  const weightsAndInput = dev.memory.live;
  await net.infer(x).data();
  const held = dev.memory.peak - weightsAndInput - (2 * 8 * x.bytes + x.bytes); // and the logits
  expect(held).toBeGreaterThanOrEqual(0);
  expect(held).toBeLessThan(16 * 1024); // the weights of a layer, in the order in which a kernel may read them
  dev.close();
});

test("MeshNet.infer gives forward's numbers; brainchop's models have 5,598 and 23,290 parameters", async () => {
  const dev = await device();
  const folded = { inChannels: 1, outChannels: 3, norm: null } as const;
  const small = new MeshNet(dev, { ...folded, channels: 5 });
  expect(small.parameterCount).toBe(5_598);
  const large = new MeshNet(dev, { ...folded, channels: 11, dilations: [1, 2, 4, 8, 4, 2, 2, 1] });
  expect(large.parameterCount).toBe(23_290);
  large.dispose();
  const deep = new MeshNet(dev, { inChannels: 1, outChannels: 3, channels: 5, dropout: 0.5 }).eval();
  for (const net of [small, deep]) {
    const x = dev.tensor(wave([1, 1, 6, 7, 8], 1, 0.11, 0.3));
    const want = net.forward(x);
    const inferred = net.infer(x);
    expect(await inferred.data()).toEqual(await want.data());
    expect(x.disposed).toBe(false);
    net.dispose();
  }
  expect(() => new MeshNet(dev, { ...folded, channels: [5, 5] })).toThrow(/2 channels for 9 dilations/);
  expect(() => new MeshNet(dev, { ...folded, channels: 5, kernelSize: 2 })).toThrow(/odd/);
});
