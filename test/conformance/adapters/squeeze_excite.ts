/** @file Squeeze-and-excite layers of `squeeze_and_excitation`, nn-common-modules and MONAI, and QuickNAT's blocks around them. */
import { add, type Device, type Tensor } from "../../../src/index.ts";
import { ChannelSE, ChannelSpatialSE, type Module, SpatialSE } from "../../../src/nn/index.ts";
import { DenseBlock, EncoderBlock } from "../../../src/seg/networks/quicknat_blocks.ts";
import { type Adapter, type Adapters, type Case, expectKnown, type Families, NotCovered } from "../format.ts";
import { device } from "../device.ts";
import { anyNetwork, type Make, type Outputs } from "../network_case.ts";

type Dims = 1 | 2 | 3;
type Maker = (dev: Device, channels: number, ratio: number | undefined, spatialDims: Dims) => Module;

const layers: Record<string, Maker> = {
  ChannelSELayer: (dev, channels, ratio) => new ChannelSE(dev, { channels, ...given({ reductionRatio: ratio }) }),
  SpatialSELayer: (dev, channels, _, spatialDims) => new SpatialSE(dev, { channels, spatialDims }),
  ChannelSpatialSELayer: (dev, channels, ratio, spatialDims) =>
    new ChannelSpatialSE(dev, { channels, ...given({ reductionRatio: ratio }), spatialDims }),
};

const given = <T extends Record<string, unknown>>(record: T): { [K in keyof T]?: NonNullable<T[K]> } =>
  Object.fromEntries(Object.entries(record).filter(([, v]) => v !== undefined && v !== null)) as never;

/** The layer's class in the name of the case: `…ChannelSELayer3D.numeric`. */
const nameOf = (op: string): string => /\b((?:Channel)?(?:Spatial)?SELayer)/.exec(op)?.[1] ?? "";

/** For a case of options that the constructor refuses, an image of their rank. */
const imageOf = ({ inputs, args }: Case): { readonly shape: readonly number[] } =>
  inputs.x ??
  inputs.input ??
  inputs.input_tensor ?? { shape: inputs.input_shape ?? new Array<number>(2 + (args.spatial_dims ?? 2)).fill(4) };

const names = "num_channels in_channels channels reduction_ratio r spatial_dims mode".split(" ");

const layer: Make = (dev, test) => {
  const { op, args } = test;
  expectKnown(op, args, names);
  const { shape } = imageOf(test);
  const channels = args.num_channels ?? args.in_channels ?? args.channels ?? shape[1];
  return layers[nameOf(op)](dev, channels, args.reduction_ratio ?? args.r, (shape.length - 2) as Dims);
};

/** MONAI keeps both linear maps in one sequence. */
const renamed = (name: string, back: boolean): string =>
  back
    ? name.replace(/^fc1\./, "fc.0.").replace(/^fc2\./, "fc.2.")
    : name.replace(/^fc\.0\./, "fc1.").replace(/^fc\.2\./, "fc2.");

const monaiLayer: Make = (dev, test) => {
  const { acti_type_1: first = "relu", acti_type_2: second = "sigmoid", add_residual: _, ...args } = test.args;
  if (String([first].flat()[0]) !== "relu" || String([second].flat()[0]) !== "sigmoid") {
    throw new NotCovered(`squeeze and excitation with the activations ${first} and ${second}`);
  }
  return layer(dev, { ...test, op: "ChannelSELayer", args });
};

const residual: Outputs = (net, x, { op, args }) => {
  const y: Tensor = net.forward(x);
  return [(args.add_residual ?? /Residual/.test(op)) ? add(x, y) : y];
};

/** MONAI's layer under its own names of weights. */
const monai: Adapter = async (test, context) => {
  const rename = (entries: any, back = false): any =>
    Array.isArray(entries)
      ? entries.map((e) => (Array.isArray(e) ? [renamed(e[0], back), ...e.slice(1)] : { ...e, name: renamed(e.name, back) }))
      : entries;
  const inputs = { ...test.inputs, weights: rename(test.inputs.weights) };
  const expected = { ...test.expected };
  if (expected.grad_norms) expected.grad_norms = rename(expected.grad_norms);
  const result = (await anyNetwork(device, monaiLayer, residual)({ ...test, inputs, expected }, context)) as any;
  for (const key of ["grad_norms", "state_dict"]) if (result[key]) result[key] = rename(result[key], true);
  return result;
};

const blockNames =
  "num_channels num_filters kernel_h kernel_w kernel_c stride_conv pool stride_pool num_class num_classes se_block se_block_type drop_out";

/** A block of nn-common-modules by its record of parameters. */
const block: Make = (dev, { op, args }) => {
  const { params, ...rest } = { ...args };
  const all = { ...params, ...rest };
  expectKnown(op, all, blockNames.split(" "));
  const Block = /Encoder/.test(op) ? EncoderBlock : DenseBlock;
  return new Block(dev, {
    inChannels: all.num_channels,
    numFilters: all.num_filters,
    kernelH: all.kernel_h,
    kernelW: all.kernel_w,
    strideConv: all.stride_conv ?? 1,
    pool: all.pool ?? 2,
    stridePool: all.stride_pool ?? 2,
    seBlock: all.se_block ?? all.se_block_type ?? "NONE",
    dropOut: all.drop_out ?? 0,
  });
};

/** An encoder gives the pooled features and those before. */
const blockOutputs: Outputs = (net, x) => {
  if (!(net instanceof EncoderBlock)) return [net.forward(x)];
  const { pooled, skip } = net.encode(x);
  return [pooled, skip];
};

export const adapters: Adapters = {};
export const families: Families = [
  [/^monai\..*\b(?:Channel|Residual)SELayer(?:\.\w+)?$/, monai],
  [/^(?!monai).*\b(?:Channel|Spatial|ChannelSpatial)SELayer(?:[23]D)?(?:\([^)]*\))?(?:\.\w+)?$/, anyNetwork(device, layer)],
  [/^(?:nn_?common\w*|quicknat)\..*\b(?:Dense|Encoder)Block(?:\.\w+)?$/i, anyNetwork(device, block, blockOutputs)],
];
