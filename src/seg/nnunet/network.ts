/** @file The network that a plan describes. */

import { expectDevice } from "../../tensor/kind.ts";
import { expectArguments, expectFields } from "../../host/kinds.ts";
import { ConfigError } from "../../host/errors.ts";
import type { Device } from "../../tensor/device.ts";
import type { NnUNet } from "../networks/nnunet_parts.ts";
import { PlainConvUNet } from "../networks/plain_conv_unet.ts";
import { ResidualEncoderUNet } from "../networks/residual_encoder_unet.ts";
import type { PlannedConfiguration } from "./configuration.ts";

/**
 * The network of a configuration, with PyTorch's initial weights.
 * @throws ConfigError for a network, norm or activation that plans can name and that is not known here
 * @param inChannels of the image
 * @param outChannels heads: classes or regions
 */
export function nnunetNetwork(
  device: Device,
  configuration: PlannedConfiguration,
  inChannels: number,
  outChannels: number,
): NnUNet {
  expectDevice("nnunetNetwork", device);
  expectFields("nnunetNetwork", "configuration", configuration, { architecture: "object" });
  expectArguments("nnunetNetwork", "number", { inChannels, outChannels });
  const { architecture } = configuration;
  const { network_class_name: name, arch_kwargs: a } = architecture;
  const refuse = (key: string, value: unknown, known: string) =>
    new ConfigError(`nnU-Net's plan has ${key} ${JSON.stringify(value)}; known is ${known}`);
  const dims = a.kernel_sizes[0].length as 1 | 2 | 3;
  if (!/InstanceNorm[123]d$/.test(a.norm_op)) throw refuse("norm_op", a.norm_op, "InstanceNorm");
  if (!a.nonlin.endsWith("LeakyReLU")) throw refuse("nonlin", a.nonlin, "LeakyReLU");
  if (a.dropout_op !== null) throw refuse("dropout_op", a.dropout_op, "none");
  const { affine = true, eps = 1e-5 } = a.norm_op_kwargs ?? {};
  const options = {
    spatialDims: dims,
    inChannels,
    outChannels,
    nStages: a.n_stages,
    featuresPerStage: a.features_per_stage,
    kernelSizes: a.kernel_sizes as [number, number, number][],
    strides: a.strides as [number, number, number][],
    nConvPerStageDecoder: a.n_conv_per_stage_decoder,
    convBias: a.conv_bias,
    norm: ["INSTANCE", { affine, eps }] as ["INSTANCE", { affine: boolean; eps: number }],
  };
  if (name.endsWith(".PlainConvUNet")) return new PlainConvUNet(device, { ...options, nConvPerStage: a.n_conv_per_stage! });
  if (name.endsWith(".ResidualEncoderUNet"))
    return new ResidualEncoderUNet(device, { ...options, nBlocksPerStage: a.n_blocks_per_stage! });
  throw refuse("network_class_name", name, "PlainConvUNet and ResidualEncoderUNet");
}
