/** @file QuickNAT and its losses, the original and milesial's U-Net, nnU-Net's networks. */
import { type Device, type Tensor } from "../../../src/index.ts";
import { medianFrequencyWeights, rotateOrientation, type Orientation } from "../../../src/data/index.ts";
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
import { NotCovered, type Adapter, type Adapters, type Case } from "../format.ts";
import { camel } from "../../lib/names.ts";
import { device } from "../device.ts";
import { describedNetwork, numericNetwork, type Make } from "../network_case.ts";

/** Names and plain values; a vector of the case file is a list. */
function options(args: Record<string, any>): any {
  const plain = (v: any): any => {
    if (Array.isArray(v)) return v.map(plain);
    return ArrayBuffer.isView(v?.data) ? (v.shape.length === 0 ? v.data[0] : Array.from(v.data as Float32Array)) : v;
  };
  return Object.fromEntries(Object.entries(args).flatMap(([k, v]) => (v === null ? [] : [[camel(k), plain(v)]])));
}

// A missing se_block is the default, one of None is refused.
const quicknat: Make = (dev, { args }) => {
  const { num_channels: inChannels, num_class: outChannels, ...rest } = args;
  const channels = { ...(inChannels !== undefined && { inChannels }), ...(outChannels !== undefined && { outChannels }) };
  return new QuickNat(dev, { ...channels, ...options(rest), ...("se_block" in args && { seBlock: args.se_block }) });
};

const original: Make = (dev, { args }) => {
  const { in_channels: inChannels = 1, n_classes: outChannels = 2, wf = 6, ...rest } = args;
  return new OriginalUNet(dev, { inChannels, outChannels, features: 2 ** wf, ...options(rest) });
};

const milesial: Make = (dev, { args, inputs }) => {
  const weights = inputs.weights as { shape: number[] }[] | undefined;
  return new MilesialUNet(dev, {
    inChannels: args.n_channels ?? weights?.[0].shape[1],
    outChannels: args.n_classes ?? weights?.at(-1)?.shape[0],
    bilinear: args.bilinear,
    features: args.widths,
  });
};

/** "LeakyReLU(0.01)" or "LeakyReLU", "InstanceNorm3d" with its keywords, "Dropout3d". */
function nnunetOptions({ args }: Case): any {
  const { conv_op, norm_op, norm_op_kwargs, nonlin, nonlin_kwargs, dropout_op, dropout_op_kwargs, block, ...others } = args;
  const { input_channels: inChannels, num_classes: outChannels, ...rest } = others;
  if (block && block !== "BasicBlockD" && block !== "BottleneckD") throw new NotCovered(`the block ${block}`);
  const [, act, number] = /^(\w+)(?:\((?:negative_slope=)?([\d.e-]+)\))?$/.exec(nonlin ?? "") ?? [];
  const slope = nonlin_kwargs?.negative_slope ?? (number === undefined ? undefined : Number(number));
  const norm = /^(\w+?)(?:Norm)?\dd$/.exec(norm_op ?? "")?.[1]?.toUpperCase();
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

/** The heads of the case: all with deep supervision, else the one of full resolution. */
const heads = (net: PlainConvUNet | ResidualEncoderUNet, x: Tensor, { args }: Case) =>
  args.deep_supervision ? net.forwardAll(x) : [net.forward(x)];

/** A tensor of the case; class indices stay integers. */
const upload = (dev: Device, a: HostArray): Tensor => dev.tensor(a, a.data instanceof Int32Array ? "i32" : "f32");

type Loss = (input: Tensor, target: Tensor, options: any, test: Case, dev: Device) => Tensor;

const loss =
  (compute: Loss): Adapter =>
  async (test) => {
    const dev = await device();
    const { inputs, args } = test;
    const extra = Object.fromEntries(
      Object.entries(inputs).filter(([k]) => !["input", "output", "target", "weight"].includes(k)),
    );
    const all = options({ ...args, ...extra });
    return compute(upload(dev, inputs.input ?? inputs.output), upload(dev, inputs.target), all, test, dev).item();
  };

export const adapters: Adapters = {
  "quicknat.QuickNat": describedNetwork(device, quicknat),
  "quicknat.QuickNat.numeric": numericNetwork(device, quicknat),
  "milesial.UNet": describedNetwork(device, milesial),
  "milesial.UNet(mini: 2 levels, 4-8-16).numeric": numericNetwork(device, milesial),
  "unet.valid_padding": describedNetwork(device, original),
  "dna.PlainConvUNet.numeric": numericNetwork(device, (dev, test) => new PlainConvUNet(dev, nnunetOptions(test)), heads),
  "dna.ResidualEncoderUNet.numeric": numericNetwork(
    device,
    (dev, test) => new ResidualEncoderUNet(dev, nnunetOptions(test)),
    heads,
  ),
  "quicknat.CombinedLoss": loss((input, target, _, { inputs }, dev) =>
    quickNatCombinedLoss(input, target, { compat: "quicknat", weight: inputs.weight ? dev.tensor(inputs.weight) : undefined }),
  ),
  "quicknat.DiceLoss": loss((input, target, o) => quickNatDiceLoss(input, target, { ...o, compat: "quicknat" })),
  "quicknat.IoULoss": loss((input, target, o) => quickNatIoULoss(input, target, o)),
  "quicknat.FocalLoss": loss((input, target, o) => quickNatFocalLoss(input, target, { ...o, compat: "quicknat" })),
  "milesial.dice_coeff": loss((input, target, o) => diceCoefficient(input, target, o)),
  "milesial.multiclass_dice_coeff": loss((input, target, o) => multiclassDiceCoefficient(input, target, o)),
  "milesial.dice_loss": loss((input, target, o) => batchDiceLoss(input, target, o)),
  "quicknat.rotate_orientation": ({ args, inputs }) => rotateOrientation(inputs.volume, args.orientation as Orientation),
  "quicknat.estimate_weights_mfb": ({ args, inputs }) => {
    const { weights, classWeights } = medianFrequencyWeights(inputs.labels, { ...options(args), compat: "quicknat" });
    return [weights, classWeights];
  },
};
