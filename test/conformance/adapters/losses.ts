/** @file PyTorch's losses, convolutions, PReLU and normalisations, with gradients, on the GPU. */
import {
  batchNorm,
  conv,
  convTranspose,
  fixedBatchNorm,
  groupNorm,
  instanceNorm,
  layerNorm,
  prelu,
  type Tensor,
} from "../../../src/index.ts";
import { bceWithLogitsLoss, crossEntropyLoss, huberLoss, l1Loss, mseLoss, smoothL1Loss } from "../../../src/nn/index.ts";
import type { Adapters } from "../format.ts";
import { operation, same, type Tensors } from "../operation_case.ts";

const convolution = operation(
  { ...same("stride", "padding", "padding_mode", "dilation", "groups"), kernel: null, kernel_size: null },
  ({ x, w, b }, options) => conv(x, w, b, options),
);

const transposed = operation(
  { ...same("stride", "padding", "output_padding", "dilation", "groups"), kernel: null, kernel_size: null },
  ({ x, w, b }, options) => convTranspose(x, w, b, options),
);

const element = (loss: (input: Tensor, target: Tensor, options: any) => Tensor, ...more: string[]) =>
  operation(same("reduction", ...more), ({ input, target, weight }, options) => loss(input, target, { ...options, weight }), {
    plain: true,
  });

const dims = ["1d", "2d", "3d"];
const perDims = (name: string, adapter: Adapters[string]): Adapters =>
  Object.fromEntries(dims.map((d) => [`${name}${d}`, adapter]));

export const adapters: Adapters = {
  "op.cross_entropy": operation(
    same("ignore_index", "label_smoothing", "reduction"),
    ({ input, target, weight }, options) => crossEntropyLoss(input, target, { ...options, weight }),
    { vectors: ["weight"], plain: true },
  ),
  "op.bce_with_logits": operation(
    same("reduction"),
    ({ input, target, weight, pos_weight }, options) =>
      bceWithLogitsLoss(input, target, { ...options, weight, posWeight: pos_weight }),
    { vectors: ["pos_weight", "weight"], plain: true },
  ),
  "op.mse_loss": element(mseLoss),
  "op.l1_loss": element(l1Loss),
  "op.smooth_l1_loss": element(smoothL1Loss, "beta"),
  "op.huber_loss": element(huberLoss, "delta"),
  "op.prelu": operation({ num_parameters: null }, ({ x, w }) => prelu(x, w)),
  ...perDims("op.conv", convolution),
  ...perDims("op.conv_transpose", transposed),
  "op.batch_norm": operation(
    same("training", "momentum", "eps"),
    ({ x, weight, bias, running_mean: mean, running_var: variance }: Tensors, { training = false, momentum, eps }) => {
      if (training) return batchNorm(x, weight, bias, mean && { mean, var: variance, momentum }, { eps });
      return fixedBatchNorm(x, weight, bias, mean, variance, { eps });
    },
    { vectors: ["weight", "bias", "running_mean", "running_var"], changes: ["running_mean", "running_var"] },
  ),
  "op.instance_norm": operation(same("eps"), ({ x, weight, bias }, options) => instanceNorm(x, weight, bias, options), {
    vectors: ["weight", "bias"],
  }),
  "op.group_norm": operation(
    same("num_groups", "eps"),
    ({ x, weight, bias }, { numGroups, ...options }) => groupNorm(x, numGroups, weight, bias, options),
    { vectors: ["weight", "bias"] },
  ),
  "op.layer_norm": operation(
    same("normalized_shape", "eps"),
    ({ x, weight, bias }, { normalizedShape, ...options }) => layerNorm(x, normalizedShape, weight, bias, options),
    { vectors: ["weight", "bias"] },
  ),
};
