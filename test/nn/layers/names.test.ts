/** @file Layers by MONAI's names: the types allow what runs, in capitals, as here, and in small letters, as in bundles. */

import { expect, test } from "vitest";
import { ConfigError, full } from "../../../src/index.ts";
import {
  Activation,
  activationLayer,
  type ActivationSpec,
  AlphaDropout,
  BatchNorm,
  Conv,
  Dropout,
  dropoutLayer,
  type DropoutSpec,
  GroupNorm,
  InstanceNorm,
  LayerNorm,
  LocalResponseNorm,
  normLayer,
  type NormSpec,
} from "../../../src/nn/index.ts";
import { MeshNet, UNet } from "../../../src/seg/index.ts";
import { device } from "../../lib/device.ts";

const gpu = await device();

test("norms", () => {
  const specs: readonly (readonly [NormSpec, abstract new (...args: never[]) => unknown])[] = [
    ["batch", BatchNorm],
    ["BATCH", BatchNorm],
    ["syncbatch", BatchNorm],
    [["SYNCBATCH", { momentum: 0.2 }], BatchNorm],
    [["batch", { eps: 1e-3 }], BatchNorm],
    ["instance", InstanceNorm],
    ["INSTANCE_NVFUSER", InstanceNorm],
    [["instance", { affine: true }], InstanceNorm],
    [["group", { numGroups: 2 }], GroupNorm],
    [["layer", { normalizedShape: 4 }], LayerNorm],
    [["localresponse", { size: 3 }], LocalResponseNorm],
  ];
  for (const [spec, kind] of specs) expect(normLayer(gpu, spec, 4)).toBeInstanceOf(kind);
  // @ts-expect-error: it has no number of groups
  expect(() => normLayer(gpu, "group", 4)).toThrow(ConfigError);
});

test("activations and dropout", () => {
  const specs: readonly ActivationSpec[] = [
    "relu",
    "RELU",
    ["leakyrelu", { negativeSlope: 0 }],
    ["LEAKYRELU", { negativeSlope: 0 }],
  ];
  for (const spec of specs) expect(activationLayer(gpu, spec).forward(full(gpu, [1, 2, 3], -1)).shape).toEqual([1, 2, 3]);
  const dropouts: readonly DropoutSpec[] = [0.1, "dropout", ["dropout", { p: 0.2 }], ["DROPOUT", {}]];
  for (const spec of dropouts) expect(dropoutLayer(gpu, spec)).toBeInstanceOf(Dropout);
  expect(dropoutLayer(gpu, "alphadropout")).toBeInstanceOf(AlphaDropout);
});

test("networks take them too", () => {
  const shared = { spatialDims: 2, inChannels: 1, outChannels: 2 } as const;
  const names = (model: { namedParameters(): readonly (readonly [string, unknown])[] }) =>
    model.namedParameters().map(([name]) => name);
  const unet = (norm: NormSpec) => new UNet(gpu, { ...shared, channels: [2, 4], strides: [2], norm, act: "prelu" });
  expect(names(unet("batch"))).toEqual(names(unet("BATCH")));
  const mesh = (norm: "batch" | "BATCH") => new MeshNet(gpu, { ...shared, channels: 2, norm });
  expect(names(mesh("batch"))).toEqual(names(mesh("BATCH")));
});

test("what is no word of an option is told when the layer is made", () => {
  const conv = { spatialDims: 2, inChannels: 1, outChannels: 1, kernelSize: 3 } as const;
  for (const wrong of [{ paddingMode: "edge" }, { padding: "full" }, { activation: "gelu" }])
    expect(() => new Conv(gpu, { ...conv, ...(wrong as object) })).toThrow(/^Conv: (unknown |padding "full" must be)/);
  expect(() => new Activation((x) => x, "gelu" as "relu")).toThrow(/^Activation: activation must be "relu"/);
});
