/** @file QuickNAT and its losses, the original and milesial's U-Net, nnU-Net's networks. */
import { type Device, type Tensor } from "../../../src/index.ts";
import {
  batchDiceLoss,
  diceCoefficient,
  multiclassDiceCoefficient,
  quickNatCombinedLoss,
  quickNatDiceLoss,
  quickNatFocalLoss,
  quickNatIoULoss,
} from "../../../src/nn/index.ts";
import { MilesialUNet } from "../../../src/seg/networks/milesial_unet.ts";
import { OriginalUNet } from "../../../src/seg/networks/original_unet.ts";
import { PlainConvUNet } from "../../../src/seg/networks/plain_conv_unet.ts";
import { QuickNat } from "../../../src/seg/networks/quicknat.ts";
import { ResidualEncoderUNet } from "../../../src/seg/networks/residual_encoder_unet.ts";
import type { HostArray } from "../../../src/host/array.ts";
import { type Adapter, type Adapters, type Case, expectKnown, type Families, NotCovered } from "../format.ts";
import { camel } from "../../lib/names.ts";
import { device } from "../device.ts";
import { anyNetwork, type Make } from "../network_case.ts";

/** Names and plain values; a vector of the case file is a list. */
function options(args: Record<string, any>): any {
  const plain = (v: any): any => {
    if (Array.isArray(v)) return v.map(plain);
    return ArrayBuffer.isView(v?.data) ? (v.shape.length === 0 ? v.data[0] : Array.from(v.data as Float32Array)) : v;
  };
  return Object.fromEntries(Object.entries(args).flatMap(([k, v]) => (v === null ? [] : [[camel(k), plain(v)]])));
}

const quicknatNames =
  "num_channels num_class num_classes num_filters kernel_h kernel_w kernel_c stride_conv pool stride_pool se_block drop_out";

// A missing se_block is the default, one of None is refused.
const quicknat: Make = (dev, { op, args }) => {
  expectKnown(op, args, quicknatNames.split(" "));
  const { num_channels: inChannels, num_class, num_classes: outChannels = num_class, ...rest } = args;
  return new QuickNat(dev, {
    ...(inChannels !== undefined && { inChannels }),
    ...(outChannels !== undefined && { outChannels }),
    ...options(rest),
    ...("se_block" in args && { seBlock: args.se_block }),
  });
};

const original: Make = (dev, { op, args }) => {
  expectKnown(op, args, "in_channels n_classes depth wf padding batch_norm up_mode".split(" "));
  const { in_channels: inChannels = 1, n_classes: outChannels = 2, wf = 6, ...rest } = args;
  return new OriginalUNet(dev, { inChannels, outChannels, features: 2 ** wf, ...options(rest) });
};

const milesial: Make = (dev, { op, args, inputs }) => {
  expectKnown(op, args, "n_channels n_classes bilinear widths levels in_channels out_channels".split(" "));
  const weights = inputs.weights as { shape: number[] }[] | undefined;
  return new MilesialUNet(dev, {
    inChannels: args.n_channels ?? args.in_channels ?? weights?.[0].shape[1],
    outChannels: args.n_classes ?? args.out_channels ?? weights?.at(-1)?.shape[0],
    bilinear: args.bilinear,
    features: args.widths,
  });
};

const nnunetNames =
  "input_channels n_stages features_per_stage conv_op kernel_sizes strides num_classes n_conv_per_stage_decoder conv_bias norm_op " +
  "norm_op_kwargs dropout_op dropout_op_kwargs nonlin nonlin_kwargs deep_supervision block";

/** "LeakyReLU(0.01)" or "LeakyReLU", "InstanceNorm3d" with its keywords, "Dropout3d". */
function nnunetOptions({ op, args }: Case, more: string): any {
  expectKnown(op, args, `${nnunetNames} ${more}`.split(" "));
  const { conv_op, norm_op, norm_op_kwargs, nonlin, nonlin_kwargs, dropout_op, dropout_op_kwargs, block, ...others } = args;
  const { deep_supervision: _, input_channels: inChannels, num_classes: outChannels, ...rest } = others;
  if (block && block !== "BasicBlockD" && block !== "BottleneckD") throw new NotCovered(`the block ${block}`);
  const [, act, number] = /^(?:torch\.)?(?:nn\.)?(\w+)(?:\((?:negative_slope=)?([\d.e-]+)\))?$/.exec(nonlin ?? "") ?? [];
  const slope = nonlin_kwargs?.negative_slope ?? (number === undefined ? undefined : Number(number));
  const norm = /(\w+?)(?:Norm)?\dd$/.exec(norm_op ?? "")?.[1]?.toUpperCase();
  const { eps, affine, momentum } = norm_op_kwargs ?? {};
  return {
    ...options(rest),
    inChannels,
    outChannels,
    spatialDims: Number(/(\d)d$/.exec(conv_op)?.[1]),
    norm: norm ? [norm, { eps, affine, ...(momentum !== undefined && { momentum }) }] : null,
    nonlin: act ? (slope === undefined ? act : [act.toUpperCase(), { negativeSlope: slope }]) : null,
    dropout: dropout_op ? (dropout_op_kwargs?.p ?? 0.5) : 0,
  };
}

const plainConv: Make = (dev, test) => new PlainConvUNet(dev, nnunetOptions(test, "n_conv_per_stage nonlin_first"));
const residualEncoder: Make = (dev, test) =>
  new ResidualEncoderUNet(dev, nnunetOptions(test, "n_blocks_per_stage bottleneck_channels stem_channels"));

/** Networks that are not MONAI's, by class. */
export const others: Record<string, Make> = {
  QuickNat: quicknat,
  QuickNAT: quicknat,
  MilesialUNet: milesial,
  OriginalUNet: original,
  PlainConvUNet: plainConv,
  ResidualEncoderUNet: residualEncoder,
};

/** The heads of the case: all with deep supervision, else the one of full resolution. */
const heads = (net: PlainConvUNet | ResidualEncoderUNet, x: Tensor, { args }: Case) =>
  args.deep_supervision ? net.forwardAll(x) : [net.forward(x)];

/** A tensor of the case; class indices stay integers. */
const upload = (dev: Device, a: HostArray): Tensor => dev.tensor(a, a.data instanceof Int32Array ? "i32" : "f32");

type Loss = (input: Tensor, target: Tensor, options: any, test: Case, dev: Device) => Tensor;

const loss =
  (known: string, compute: Loss): Adapter =>
  async (test) => {
    const dev = await device();
    const { op, inputs, args } = test;
    const extra = Object.fromEntries(
      Object.entries(inputs).filter(([k]) => !["input", "output", "target", "weight"].includes(k)),
    );
    expectKnown(op, { ...args, ...extra }, known.split(" "));
    const all = options({ ...args, ...extra });
    return compute(upload(dev, inputs.input ?? inputs.output), upload(dev, inputs.target), all, test, dev).item();
  };

/** A family's pattern: the class, what stands in brackets behind it, what is asked of it. */
const network = (name: string): RegExp => new RegExp(`^${name}(?:\\(.*\\))?(?:\\.(?:numeric|train|eval))?$`);

export const adapters: Adapters = {
  "unet.valid_padding": anyNetwork(device, original),
  "quicknat.CombinedLoss": loss("", (input, target, _, { inputs }, dev) =>
    quickNatCombinedLoss(input, target, { compat: "quicknat", weight: inputs.weight ? dev.tensor(inputs.weight) : undefined }),
  ),
  "quicknat.DiceLoss": loss("weights binary", (input, target, o) =>
    quickNatDiceLoss(input, target, { ...o, compat: "quicknat" }),
  ),
  "quicknat.IoULoss": loss("weights ignore_index", (input, target, o) => quickNatIoULoss(input, target, o)),
  "quicknat.FocalLoss": loss("gamma alpha size_average", (input, target, o) =>
    quickNatFocalLoss(input, target, { ...o, compat: "quicknat" }),
  ),
  "milesial.dice_coeff": loss("reduce_batch_first epsilon", (input, target, o) => diceCoefficient(input, target, o)),
  "milesial.multiclass_dice_coeff": loss("reduce_batch_first epsilon", (input, target, o) =>
    multiclassDiceCoefficient(input, target, o),
  ),
  "milesial.dice_loss": loss("multiclass", (input, target, o) => batchDiceLoss(input, target, o)),
};

export const families: Families = [
  [network("quicknat\\.(?:\\w+\\.)*QuickN[aA][tT]"), anyNetwork(device, quicknat)],
  [network("milesial\\.(?:\\w+\\.)*UNet"), anyNetwork(device, milesial)],
  [network("unet\\.(?:\\w+\\.)*UNet"), anyNetwork(device, original)],
  [network("(?:dna|nnunet)\\.(?:\\w+\\.)*PlainConvUNet"), anyNetwork(device, plainConv, heads)],
  [network("(?:dna|nnunet)\\.(?:\\w+\\.)*ResidualEncoderUNet"), anyNetwork(device, residualEncoder, heads)],
];
