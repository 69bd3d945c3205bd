/** @file MONAI's networks and blocks on the GPU. */
import { type Device } from "../../../src/index.ts";
import { Convolution, type Module, ResidualUnit, SubpixelUpsample, UpsampleBlock } from "../../../src/nn/index.ts";
import {
  AttentionUnet,
  BasicUNet,
  DynUNet,
  SegResNet,
  UNet,
  UnetBasicBlock,
  UnetOutBlock,
  UnetResBlock,
  VNet,
} from "../../../src/seg/index.ts";
import type { Adapters } from "../format.ts";
import { camel } from "../../lib/names.ts";
import { device } from "../device.ts";
import { describedNetwork, numericNetwork, type Make } from "../network_case.ts";

/** Where upstream's None means something else than its default. */
const nullable = new Set(["act", "norm", "dropoutProbDown", "preConv"]);

/** Upstream options to voxgrad's: camelCase names, also inside `[name, options]`; a class stands for its name. */
function options(args: Record<string, any>): Record<string, any> {
  const inner = (v: any): any => {
    if (Array.isArray(v)) return v.map(inner);
    if (ArrayBuffer.isView(v?.data)) return v.shape.length === 0 ? v.data[0] : Array.from(v.data as Float32Array);
    if (typeof v === "string") return /(?:^<class '|^)torch\.nn\.(?:\w+\.)*(\w+)/.exec(v)?.[1] ?? v;
    return typeof v === "object" && v !== null ? options(v) : v;
  };
  const entries = Object.entries(args).map(([k, v]) => [camel(k), inner(v)] as const);
  return Object.fromEntries(entries.filter(([k, v]) => v !== null || nullable.has(k)));
}

/** SegResNet has its group norm under two deprecated names too. */
function segResNetOptions({ norm_name: name, num_groups: numGroups = 8, ...args }: Record<string, any>): Record<string, any> {
  return options(name ? { ...args, norm: [name, name.toLowerCase() === "group" ? { num_groups: numGroups } : {}] } : args);
}

/** Networks by upstream name and options. */
export const makers: Record<string, (dev: Device, args: Record<string, any>) => Module> = {
  "nets.AttentionUnet": (dev, args) => new AttentionUnet(dev, options(args) as any),
  "nets.BasicUNet": (dev, args) => new BasicUNet(dev, options(args)),
  "nets.DynUNet": (dev, args) => new DynUNet(dev, options(args) as any),
  "nets.SegResNet": (dev, args) => new SegResNet(dev, segResNetOptions(args)),
  "nets.UNet": (dev, args) => new UNet(dev, options(args) as any),
  "nets.VNet": (dev, args) => new VNet(dev, options(args)),
  "blocks.Convolution": (dev, args) => new Convolution(dev, options(args) as any),
  "blocks.ResidualUnit": (dev, args) => new ResidualUnit(dev, options(args) as any),
  "blocks.SubpixelUpsample": (dev, args) => new SubpixelUpsample(dev, options(args) as any),
  "blocks.UpSample": (dev, args) => new UpsampleBlock(dev, options(args) as any),
  "blocks.UnetBasicBlock": (dev, args) => new UnetBasicBlock(dev, options(args) as any),
  "blocks.UnetOutBlock": (dev, args) => new UnetOutBlock(dev, options(args) as any),
  "blocks.UnetResBlock": (dev, args) => new UnetResBlock(dev, options(args) as any),
};

const networks = Object.entries(makers).flatMap(([name, maker]) => {
  const make: Make = (dev, { args }) => maker(dev, args);
  const op = `monai.networks.${name}`;
  return [
    [op, describedNetwork(device, make)],
    [`${op}.numeric`, numericNetwork(device, make)],
  ] as const;
});

export const adapters: Adapters = Object.fromEntries(networks);
