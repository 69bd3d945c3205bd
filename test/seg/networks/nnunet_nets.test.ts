/** @file nnU-Net's networks against dynamic_network_architectures. Fixture: make_quicknat_unet.py. */

import { expect, test } from "vitest";
import { ConfigError, ShapeError, type Tensor } from "../../../src/index.ts";
import { PlainConvUNet } from "../../../src/seg/networks/plain_conv_unet.ts";
import { ResidualEncoderUNet } from "../../../src/seg/networks/residual_encoder_unet.ts";
import { device } from "../../lib/device.ts";
import { readFixture } from "../../lib/fixture.ts";
import { camelKeys } from "../../lib/names.ts";
import { expectNetwork, seeded, type NetSpec } from "./reference.ts";

const nets: NetSpec[] = readFixture<any>("nnunet_nets.json").nets;

for (const spec of nets) {
  test(`${spec.name} equals nnU-Net's`, async () => {
    const dev = await device();
    const { dims: spatialDims, norm, deep_supervision: deep, input_channels, num_classes, ...rest } = spec.args;
    const channels = { inChannels: input_channels, outChannels: num_classes };
    const options: any = { ...camelKeys(rest), ...channels, spatialDims, norm: [norm, { affine: true }] };
    const net = seeded(() =>
      spec.name.startsWith("plain") ? new PlainConvUNet(dev, options) : new ResidualEncoderUNet(dev, options),
    );
    const outputs = (x: Tensor) => (deep ? net.forwardAll(x) : [net.forward(x)]);
    await expectNetwork(dev, spec, net, { outputs, initialize: () => void net.initialize() });
    net.dispose();
  });
}

test("forward is the head of full resolution; hippocampus has 5,603,177 parameters; arguments that do not fit are named", async () => {
  const dev = await device();
  const stages = { spatialDims: 2, inChannels: 1, nStages: 3, featuresPerStage: [4, 6, 8], kernelSizes: 3 } as const;
  const base = { ...stages, strides: [1, 2, 2], nConvPerStage: 2, outChannels: 2, nConvPerStageDecoder: 1 };
  const net = new PlainConvUNet(dev, base);
  const x = dev.tensor({ data: Float32Array.from({ length: 64 }, (_, i) => Math.sin(i)), shape: [1, 1, 8, 8] });
  const all = net.forwardAll(x);
  expect(all.map((t) => t.shape)).toEqual([
    [1, 2, 8, 8],
    [1, 2, 4, 4],
  ]);
  expect(await net.forward(x).data()).toEqual(await all[0].data());
  expect(() => net.forward(dev.empty([1, 1, 10, 8]))).toThrow(/multiples of 4,/);
  expect(() => net.forward(dev.empty([1, 2, 8, 8]))).toThrow(ShapeError);
  expect(() => new PlainConvUNet(dev, { ...base, strides: [1, 2] })).toThrow(/2 entries for 3 stages/);
  expect(() => new PlainConvUNet(dev, { ...base, nConvPerStage: 0 })).toThrow(ConfigError);
  net.dispose();
  const hippocampus = new PlainConvUNet(dev, {
    ...base,
    spatialDims: 3,
    nStages: 4,
    featuresPerStage: [32, 64, 128, 256],
    strides: [1, 2, 2, 2],
    outChannels: 3,
    nConvPerStageDecoder: 2,
  });
  expect(hippocampus.parameterCount).toBe(5_603_177);
  hippocampus.dispose();
});
