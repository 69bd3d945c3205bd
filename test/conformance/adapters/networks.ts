/** @file MONAI's networks and blocks on the GPU. */
import type { Device, Tensor } from "../../../src/index.ts";
import { Convolution, type Module, ResidualUnit, SubpixelUpsample, UpsampleBlock } from "../../../src/nn/index.ts";
import {
  AttentionUnet,
  BasicUNet,
  BasicUNetPlusPlus,
  DynUNet,
  SegResNet,
  UNet,
  UnetBasicBlock,
  UnetOutBlock,
  UnetResBlock,
  VNet,
} from "../../../src/seg/index.ts";
import { type Adapters, expectKnown, type Families } from "../format.ts";
import { camel } from "../../lib/names.ts";
import { device } from "../device.ts";
import { anyNetwork, type Make } from "../network_case.ts";

/** Where upstream's None means something else than its default. */
const nullable = new Set(["act", "norm", "dropoutProbDown", "preConv", "convBlock"]);

/** Upstream options to voxgrad's: camelCase names, also inside `[name, options]`; a class stands for its name. */
function options(args: Record<string, any>): Record<string, any> {
  const inner = (v: any): any => {
    if (Array.isArray(v)) return v.map(inner);
    if (ArrayBuffer.isView(v?.data)) return v.shape.length === 0 ? v.data[0] : Array.from(v.data as Float32Array);
    if (typeof v === "string" && /^(?:Act|Norm|Dropout|UpsampleMode)\.\w+$/.test(v)) return v.replace(/^\w+\./, "");
    if (typeof v === "string") return /(?:^<class '|^)torch\.nn\.(?:\w+\.)*(\w+)/.exec(v)?.[1] ?? v;
    return typeof v === "object" && v !== null ? options(v) : v;
  };
  const entries = Object.entries(args).flatMap(([k, v]) => (k === "inplace" ? [] : [[camel(k), inner(v)] as const]));
  return Object.fromEntries(entries.filter(([k, v]) => v !== null || nullable.has(k)));
}

/** SegResNet has its group norm under two deprecated names too. */
function segResNetOptions({ norm_name: name, num_groups: numGroups = 8, ...args }: Record<string, any>): Record<string, any> {
  return options(name ? { ...args, norm: [name, name.toLowerCase() === "group" ? { num_groups: numGroups } : {}] } : args);
}

type Maker = (dev: Device, args: Record<string, any>) => Module;

/** A class of voxgrad's that takes the options with these upstream names. */
const made =
  (name: string, Class: new (dev: Device, options: any) => Module, known: string, read = options): Maker =>
  (dev, args) => {
    expectKnown(name, args, `spatial_dims in_channels out_channels ${known}`.split(" "));
    return new Class(dev, read(args));
  };

const adn = "act norm dropout dropout_dim bias adn_ordering";
const convolution = `strides kernel_size ${adn} dilation padding`;
const unetBlock = "kernel_size stride norm_name act_name dropout";

/** Networks and blocks by upstream name and options. */
export const makers: Record<string, Maker> = {
  "nets.AttentionUnet": made("AttentionUnet", AttentionUnet, "channels strides kernel_size up_kernel_size dropout"),
  "nets.BasicUNet": made("BasicUNet", BasicUNet, "features act norm bias dropout upsample"),
  "nets.BasicUNetPlusPlus": made(
    "BasicUNetPlusPlus",
    BasicUNetPlusPlus,
    "features deep_supervision act norm bias dropout upsample",
  ),
  "nets.DynUNet": made(
    "DynUNet",
    DynUNet,
    "kernel_size strides upsample_kernel_size filters dropout norm_name act_name deep_supervision deep_supr_num res_block trans_bias",
  ),
  "nets.SegResNet": made(
    "SegResNet",
    SegResNet,
    "init_filters dropout_prob act norm norm_name num_groups use_conv_final blocks_down blocks_up upsample_mode",
    segResNetOptions,
  ),
  "nets.UNet": made("UNet", UNet, "channels strides kernel_size up_kernel_size num_res_units act norm dropout bias adn_ordering"),
  "nets.VNet": made("VNet", VNet, "act dropout_prob_down dropout_prob_up dropout_dim bias"),
  "blocks.Convolution": made("Convolution", Convolution, `${convolution} groups conv_only is_transposed output_padding`),
  "blocks.ResidualUnit": made("ResidualUnit", ResidualUnit, `${convolution} subunits last_conv_only`),
  "blocks.SubpixelUpsample": made("SubpixelUpsample", SubpixelUpsample, "scale_factor conv_block apply_pad_pool bias"),
  "blocks.UpSample": made(
    "UpSample",
    UpsampleBlock,
    "scale_factor kernel_size size mode pre_conv post_conv interp_mode align_corners bias apply_pad_pool",
  ),
  "blocks.UnetBasicBlock": made("UnetBasicBlock", UnetBasicBlock, unetBlock),
  "blocks.UnetOutBlock": made("UnetOutBlock", UnetOutBlock, "dropout"),
  "blocks.UnetResBlock": made("UnetResBlock", UnetResBlock, unetBlock),
};

/** MONAI's other spellings. */
const aliases: Record<string, string> = {
  Unet: "UNet",
  BasicUnet: "BasicUNet",
  Basicunet: "BasicUNet",
  BasicUnetPlusPlus: "BasicUNetPlusPlus",
  BasicunetPlusPlus: "BasicUNetPlusPlus",
  DynUnet: "DynUNet",
};

/** MONAI's class of a case: `monai.networks.nets.UNet`, `monai.UNet`; what is in brackets says what the options say too. */
function classOf(op: string): Maker | undefined {
  const name = op.replace(/\(.*\)/g, "").replace(/\.(?:numeric|train|eval)$/, "").split(".").at(-1)!; // prettier-ignore
  const own = aliases[name] ?? name;
  return makers[`nets.${own}`] ?? makers[`blocks.${own}`];
}

const make: Make = (dev, { op, args }) => classOf(op)!(dev, args);

/** Upstream's list, where it gives one. */
const outputs = (net: Module & { forward(x: Tensor): Tensor }, x: Tensor): Tensor[] =>
  net instanceof BasicUNetPlusPlus ? net.forwardAll(x) : [net.forward(x)];

const names = [...Object.keys(makers).map((name) => name.replace(/^\w+\./, "")), ...Object.keys(aliases)];
const pattern = (end: string) =>
  new RegExp(`^monai\\.(?:networks\\.)?(?:\\w+\\.)*(?:${names.join("|")})(?:\\(.*\\))?${end}$`); // prettier-ignore

export const adapters: Adapters = {};
export const families: Families = [[pattern("(?:\\.(?:numeric|train|eval))?"), anyNetwork(device, make, outputs)]];
