/** @file Small networks of each kind for export: weights and running statistics from a formula, so that nothing is 0 or 1 by chance. */

import type { Device } from "../../src/index.ts";
import type { Module } from "../../src/nn/index.ts";
import * as seg from "../../src/seg/index.ts";

export interface Network {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dynamicAxes?: readonly number[];
  /** Too many weights for a test; export_networks.ts writes it. */
  readonly heavy?: boolean;
  readonly make: (device: Device) => Module;
}

const unet = { inChannels: 1, outChannels: 2, channels: [4, 8, 12], strides: [2, 2] };
const nnunet = {
  inChannels: 1,
  outChannels: 3,
  nStages: 3,
  featuresPerStage: [4, 8, 8],
  kernelSizes: 3,
  strides: [1, 2, 2],
  nConvPerStageDecoder: 1,
} as const;
const dyn = { inChannels: 1, outChannels: 2, kernelSize: [3, 3, 3], strides: [1, 2, 2], upsampleKernelSize: [2, 2] };

export const networks: readonly Network[] = [
  { name: "UNet 2-D", shape: [1, 1, 16, 24], dynamicAxes: [0, 2, 3], make: (d) => new seg.UNet(d, { ...unet, spatialDims: 2 }) },
  {
    name: "UNet 3-D",
    shape: [1, 1, 8, 8, 12],
    dynamicAxes: [0],
    make: (d) =>
      new seg.UNet(d, { ...unet, spatialDims: 3, numResUnits: 2, norm: "BATCH", act: ["PRELU", { numParameters: 1 }] }),
  },
  {
    name: "UNet 1-D",
    shape: [2, 1, 32],
    make: (d) => new seg.UNet(d, { ...unet, spatialDims: 1, norm: ["GROUP", { numGroups: 2 }], act: "GELU" }),
  },
  {
    name: "BasicUNet",
    shape: [1, 1, 32, 16],
    make: (d) => new seg.BasicUNet(d, { spatialDims: 2, features: [4, 4, 8, 8, 8, 4], norm: "BATCH" }),
  },
  {
    name: "BasicUNet interpolating 3-D",
    shape: [1, 1, 16, 16, 16],
    make: (d) => new seg.BasicUNet(d, { spatialDims: 3, features: [4, 4, 4, 8, 8, 4], upsample: "nontrainable", norm: "BATCH" }),
  },
  { name: "VNet 2-D", shape: [1, 1, 32, 16], heavy: true, make: (d) => new seg.VNet(d, { spatialDims: 2, outChannels: 2 }) },
  { name: "VNet 3-D", shape: [1, 1, 16, 16, 16], heavy: true, make: (d) => new seg.VNet(d, { outChannels: 2 }) },
  {
    name: "SegResNet",
    shape: [1, 1, 16, 16],
    dynamicAxes: [0],
    make: (d) => new seg.SegResNet(d, { spatialDims: 2, initFilters: 8, blocksDown: [1, 1], blocksUp: [1] }),
  },
  { name: "DynUNet", shape: [1, 1, 16, 16], make: (d) => new seg.DynUNet(d, { ...dyn, spatialDims: 2, filters: [4, 8, 8] }) },
  {
    name: "DynUNet residual 3-D",
    shape: [1, 1, 8, 8, 8],
    make: (d) =>
      new seg.DynUNet(d, { ...dyn, spatialDims: 3, filters: [4, 8, 8], resBlock: true, deepSupervision: true, deepSuprNum: 1 }),
  },
  {
    name: "AttentionUnet",
    shape: [1, 1, 16, 16],
    dynamicAxes: [0],
    make: (d) => new seg.AttentionUnet(d, { ...unet, spatialDims: 2 }),
  },
  {
    name: "QuickNat",
    shape: [1, 1, 32, 32],
    dynamicAxes: [0],
    make: (d) => new seg.QuickNat(d, { inChannels: 1, outChannels: 4, numFilters: 8, seBlock: "CSSE" }),
  },
  {
    name: "MilesialUNet",
    shape: [1, 1, 32, 32],
    make: (d) => new seg.MilesialUNet(d, { inChannels: 1, outChannels: 2, features: [2, 4, 8, 16] }),
  },
  {
    name: "MilesialUNet bilinear",
    shape: [1, 1, 48, 32],
    make: (d) => new seg.MilesialUNet(d, { inChannels: 1, outChannels: 2, features: [2, 4, 8, 16], bilinear: true }),
  },
  {
    name: "OriginalUNet",
    shape: [1, 1, 60, 60],
    make: (d) => new seg.OriginalUNet(d, { depth: 3, features: 3, outChannels: 2, upMode: "upsample" }),
  },
  {
    name: "MeshNet",
    shape: [1, 1, 12, 12, 12],
    dynamicAxes: [2, 3, 4],
    make: (d) => new seg.MeshNet(d, { inChannels: 1, outChannels: 3, channels: 4 }),
  },
  {
    name: "PlainConvUNet",
    shape: [1, 1, 16, 16],
    make: (d) => new seg.PlainConvUNet(d, { ...nnunet, spatialDims: 2, nConvPerStage: 1 }),
  },
  {
    name: "ResidualEncoderUNet",
    shape: [1, 1, 8, 8, 8],
    make: (d) => new seg.ResidualEncoderUNet(d, { ...nnunet, spatialDims: 3, nBlocksPerStage: 1 }),
  },
];

// Without a pattern that a convolution could sum to nothing; −1 to 1.
const noise = (i: number): number => {
  const v = Math.sin(12.9898 * i) * 43758.5453;
  return 2 * (v - Math.floor(v)) - 1;
};

/** Weights of a size that keeps activations in range and alive; scales and variances around 1. */
export function fill(module: Module): void {
  let seed = 0;
  for (const [name, t] of module.namedTensors()) {
    if (t.dtype !== "f32") continue;
    seed += 7919;
    const positive = t.rank === 1 && !name.endsWith("bias") && !name.endsWith("mean");
    const spread = t.rank > 1 ? Math.sqrt((6 * t.shape[0]) / t.size) : 0.2;
    const data = Float32Array.from({ length: t.size }, (_, i) => (positive ? 1 : 0) + spread * noise(i + seed));
    t.device.write(t, { data, shape: t.shape });
  }
}
