/** @file PyTorch's losses, convolutions, PReLU and normalizations, with gradients, on the GPU. */
import {
  affine,
  batchNorm,
  conv,
  convTranspose,
  type Device,
  fixedBatchNorm,
  groupNorm,
  instanceNorm,
  layerNorm,
  ones,
  prelu,
  type Tensor,
  zeros,
} from "../../../src/index.ts";
import {
  bceWithLogitsLoss,
  crossEntropyLoss,
  huberLoss,
  l1Loss,
  LocalResponseNorm,
  mseLoss,
  smoothL1Loss,
} from "../../../src/nn/index.ts";
import type { Adapters } from "../format.ts";
import { operation, same, told, type Tensors } from "../operation_case.ts";

/** What a convolution's shapes say too; a module's `bias: true` is a tensor among the inputs. */
const geometry = told("kernel", "kernel_size", "in_channels", "out_channels", "bias");

const convolution = operation(
  { ...same("stride", "padding", "padding_mode", "dilation", "groups"), ...geometry },
  ({ x, w, b }, options) => conv(x, w, b, options),
);

const transposed = operation(
  { ...same("stride", "padding", "output_padding", "dilation", "groups"), ...geometry },
  ({ x, w, b }, options) => convTranspose(x, w, b, options),
);

/** Reductions also under PyTorch's two older flags. */
const reductions = same("reduction", "size_average", "reduce");

function reduced({ sizeAverage, reduce, ...options }: any): any {
  if (sizeAverage === undefined && reduce === undefined) return options;
  return { ...options, reduction: reduce === false ? "none" : sizeAverage === false ? "sum" : "mean" };
}

type Loss = (input: Tensor, target: Tensor, options: any) => Tensor;

/** Weights are tensors, or numbers where PyTorch takes a scalar. */
const lossCase = (loss: Loss, ...more: string[]) =>
  operation(
    { ...reductions, ...same(...more), weight: "", pos_weight: "" },
    ({ input, target, y, weight, pos_weight: posWeight }, options) =>
      loss(input, target ?? y, { ...(weight && { weight }), ...(posWeight && { posWeight }), ...reduced(options) }),
    { vectors: ["weight", "pos_weight"], plain: true },
  );

const element = (loss: Loss, ...more: string[]) =>
  lossCase(
    (input, target, { weight, ...options }) =>
      typeof weight === "number"
        ? affine(loss(input, target, options), weight)
        : loss(input, target, weight ? { ...options, weight } : options),
    ...more,
  );

const channels = told("num_features", "num_channels", "affine", "track_running_stats", "elementwise_affine", "bias", "weight");
const vectors = ["weight", "bias", "running_mean", "running_var"];

/** Scale and shift together, as voxgrad takes them; PyTorch's functions also take one alone. */
function affineOf(dev: Device, { weight, bias }: Tensors): [Tensor | undefined, Tensor | undefined] {
  if (!weight && !bias) return [undefined, undefined];
  const { shape } = (weight ?? bias)!;
  return [weight ?? ones(dev, shape), bias ?? zeros(dev, shape)];
}

/** A momentum of None is a cumulative average, whose first batch counts fully. */
const momentumOf: Adapters[string] = (test, context) => {
  const args = "momentum" in test.args && test.args.momentum === null ? { ...test.args, momentum: 1 } : test.args;
  return batchNormalized({ ...test, args }, context);
};

const batchNormalized = operation(
  { ...same("training", "momentum", "eps"), ...channels, train: "training", mode: "" },
  (tensors, { training, mode, momentum, eps }, dev) => {
    const { x, running_mean: mean, running_var: variance } = tensors;
    const [weight, bias] = affineOf(dev, tensors);
    const train = training ?? (mode === undefined ? !mean : mode === "train");
    if (train || !mean) return batchNorm(x, weight, bias, mean && { mean, var: variance, momentum }, { eps });
    return fixedBatchNorm(x, weight, bias, mean, variance, { eps });
  },
  { vectors, changes: ["running_mean", "running_var"] },
);

/** Statistics of the instance; with `use_input_stats: false` those given, as batch norm in evaluation. */
const instanceNormalized = operation(
  { ...same("eps", "use_input_stats"), ...channels, training: "useInputStats" },
  (tensors, { useInputStats = true, ...options }, dev) => {
    const { x, running_mean: mean, running_var: variance } = tensors;
    const [weight, bias] = affineOf(dev, tensors);
    if (useInputStats || !mean) return instanceNorm(x, weight, bias, options);
    return fixedBatchNorm(x, weight, bias, mean, variance, options);
  },
  { vectors },
);

export const adapters: Adapters = {
  "op.cross_entropy": lossCase(crossEntropyLoss, "ignore_index", "label_smoothing"),
  "op.bce_with_logits": element(bceWithLogitsLoss),
  "op.binary_cross_entropy_with_logits": element(bceWithLogitsLoss),
  "op.mse_loss": element(mseLoss),
  "op.l1_loss": element(l1Loss),
  "op.smooth_l1_loss": element(smoothL1Loss, "beta"),
  "op.huber_loss": element(huberLoss, "delta"),
  "op.prelu": operation(told("num_parameters", "init"), ({ x, w }, _, __, list) => prelu(x, w ?? list[1])),
  "op.conv": convolution,
  "op.conv_transpose": transposed,
  "op.batch_norm": momentumOf,
  "op.instance_norm": instanceNormalized,
  "op.group_norm": operation(
    { ...same("num_groups", "eps"), ...channels },
    (tensors, { numGroups, ...options }, dev) => groupNorm(tensors.x, numGroups, ...affineOf(dev, tensors), options),
    { vectors },
  ),
  "op.layer_norm": operation(
    { ...same("normalized_shape", "eps"), ...channels },
    (tensors, { normalizedShape, ...options }, dev) => layerNorm(tensors.x, normalizedShape, ...affineOf(dev, tensors), options),
    { vectors },
  ),
  "op.local_response_norm": operation(same("size", "alpha", "beta", "k"), ({ x }, options) =>
    new LocalResponseNorm(options).forward(x),
  ),
};
