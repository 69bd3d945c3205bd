/** @file The networks that the recipe "3-D patches" chooses from: a row each. */

import type { Module } from "../../../nn/module.ts";
import type { Device } from "../../../tensor/device.ts";
import { DynUNet } from "../../networks/dynunet.ts";
import { SegResNet } from "../../networks/segresnet.ts";
import { UNet } from "../../networks/unet.ts";
import { VNet } from "../../networks/vnet.ts";
import type { PatchOptions } from "./options.ts";

type Make = (device: Device, options: PatchOptions, inChannels: number, outChannels: number) => Module;

const halved = (channels: readonly number[]): number[] => channels.slice(1).map(() => 2);

export const patchNetworks: Readonly<Record<PatchOptions["network"], Make>> = {
  unet: (device, { channels, numResUnits }, inChannels, outChannels) =>
    new UNet(device, { spatialDims: 3, inChannels, outChannels, channels, strides: halved(channels), numResUnits }),
  vnet: (device, _, inChannels, outChannels) => new VNet(device, { inChannels, outChannels }),
  segresnet: (device, { channels }, inChannels, outChannels) =>
    new SegResNet(device, { inChannels, outChannels, initFilters: channels[0] }),
  dynunet: (device, { channels, numResUnits, deepSupervision }, inChannels, outChannels) =>
    new DynUNet(device, {
      spatialDims: 3,
      inChannels,
      outChannels,
      kernelSize: channels.map(() => 3),
      strides: [1, ...halved(channels)],
      upsampleKernelSize: halved(channels),
      filters: channels,
      resBlock: numResUnits > 0,
      deepSupervision,
      deepSuprNum: Math.max(1, channels.length - 2),
    }),
};
