/** @file One configuration of a plan (2d, 3d_fullres, 3d_lowres): patch, batch and network for a spacing and a median shape. */

import { sizeOf } from "../../host/array.ts";
import { ConfigError } from "../../host/errors.ts";
import { roundHalfEven } from "../../host/rounding.ts";
import { computeConvFeatureMapSize } from "./feature_map_size.ts";
import type { PlannerSettings } from "./planners.ts";
import { getPoolAndConvProps, type Topology } from "./topology.ts";

/** `arch_kwargs` of a plan. */
export type ArchitectureArguments = {
  readonly n_stages: number;
  readonly features_per_stage: readonly number[];
  readonly conv_op: string;
  readonly kernel_sizes: readonly (readonly number[])[];
  readonly strides: readonly (readonly number[])[];
  readonly n_conv_per_stage?: readonly number[];
  readonly n_blocks_per_stage?: readonly number[];
  readonly n_conv_per_stage_decoder: readonly number[];
  readonly conv_bias: boolean;
  readonly norm_op: string;
  readonly norm_op_kwargs: { readonly eps: number; readonly affine: boolean };
  readonly dropout_op: null;
  readonly dropout_op_kwargs: null;
  readonly nonlin: string;
  readonly nonlin_kwargs: { readonly inplace: boolean };
};

/** A configuration as `nnUNetPlans.json` has it. */
export interface PlannedConfiguration {
  readonly data_identifier: string;
  readonly preprocessor_name: string;
  readonly batch_size: number;
  readonly patch_size: readonly number[];
  readonly median_image_size_in_voxels: readonly number[];
  /** In mm, of the transposed axes. */
  readonly spacing: readonly number[];
  readonly normalization_schemes: readonly string[];
  readonly use_mask_for_norm: readonly boolean[];
  readonly resampling_fn_data: string;
  readonly resampling_fn_seg: string;
  readonly resampling_fn_data_kwargs: Readonly<Record<string, unknown>>;
  readonly resampling_fn_seg_kwargs: Readonly<Record<string, unknown>>;
  readonly resampling_fn_probabilities: string;
  readonly resampling_fn_probabilities_kwargs: Readonly<Record<string, unknown>>;
  readonly architecture: {
    readonly network_class_name: string;
    readonly arch_kwargs: ArchitectureArguments;
    readonly _kw_requires_import: readonly string[];
  };
  readonly batch_dice?: boolean;
  readonly next_stage?: string;
}

/** What a configuration is planned for. */
export interface ConfigurationRequest {
  readonly settings: PlannerSettings;
  readonly gpuMemoryTargetInGb: number;
  /** Transposed, two or three axes. */
  readonly spacing: readonly number[];
  readonly medianShape: readonly number[];
  readonly dataIdentifier: string;
  readonly preprocessorName: string;
  /** Voxels of the whole data set. */
  readonly approximateVoxels: number;
  /** Labels of dataset.json, background included: the network's outputs by nnU-Net's estimate. */
  readonly numLabels: number;
  readonly normalizationSchemes: readonly string[];
  readonly useMaskForNorm: readonly boolean[];
}

const standardFeatures = 32;
const minBatchSize = 2;
const minEdge = 4;

const residualBlocks = [1, 3, 4, ...Array.from({ length: 10 }, () => 6)];

/** Channels of each stage: twice as many as in the one before, up to a bound. */
const featuresOf = (dims: number, stages: number, first: number): number[] =>
  Array.from({ length: stages }, (_, i) => Math.min(dims === 2 ? 512 : 320, first * 2 ** i));

type ArchitectureRequest = Pick<ConfigurationRequest, "spacing"> & { readonly settings: Pick<PlannerSettings, "residual"> };

function architectureOf(
  { settings, spacing }: ArchitectureRequest,
  topology: Topology,
  firstFeatures = standardFeatures,
): ArchitectureArguments {
  const dims = spacing.length;
  const stages = topology.poolOpKernelSizes.length;
  const per = (n: number) => Array.from({ length: stages }, () => n);
  return {
    n_stages: stages,
    features_per_stage: featuresOf(dims, stages, firstFeatures),
    conv_op: `torch.nn.modules.conv.Conv${dims}d`,
    kernel_sizes: topology.convKernelSizes,
    strides: topology.poolOpKernelSizes,
    ...(settings.residual ? { n_blocks_per_stage: residualBlocks.slice(0, stages) } : { n_conv_per_stage: per(2) }),
    n_conv_per_stage_decoder: per(settings.residual ? 1 : 2).slice(1),
    conv_bias: true,
    norm_op: `torch.nn.modules.instancenorm.InstanceNorm${dims}d`,
    norm_op_kwargs: { eps: 1e-5, affine: true },
    dropout_op: null,
    dropout_op_kwargs: null,
    nonlin: "torch.nn.LeakyReLU",
    nonlin_kwargs: { inplace: true },
  };
}

function estimate(request: ConfigurationRequest, topology: Topology): number {
  const a = architectureOf(request, topology);
  const network = {
    featuresPerStage: a.features_per_stage,
    strides: a.strides,
    blocksPerStage: a.n_blocks_per_stage ?? a.n_conv_per_stage!,
    convsPerStageDecoder: a.n_conv_per_stage_decoder,
    numClasses: request.numLabels,
    residual: request.settings.residual,
  };
  return computeConvFeatureMapSize(network, topology.patchSize);
}

/** A patch of the voxels' proportions with the volume of 256³ (2048² in 2D), no larger than the median case. */
function initialPatchSize(spacing: readonly number[], medianShape: readonly number[]): number[] {
  const inverse = spacing.map((s) => 1 / s);
  const dims = spacing.length;
  const voxels = dims === 3 ? 256 ** 3 : 2048 ** 2;
  const scale = (voxels / inverse.reduce((a, b) => a * b, 1)) ** (1 / dims);
  return inverse.map((v, a) => Math.min(roundHalfEven(v * scale), medianShape[a]));
}

/** The patch a step smaller along the axis that is largest beside the median case; the later of equal ones, as NumPy sorts. */
function reduced(
  { spacing, medianShape }: Pick<ConfigurationRequest, "spacing" | "medianShape">,
  { patchSize, mustBeDivisibleBy }: Pick<Topology, "patchSize" | "mustBeDivisibleBy">,
): Topology {
  const ratios = patchSize.map((n, a) => n / medianShape[a]);
  const axis = ratios.lastIndexOf(Math.max(...ratios));
  const smaller = (by: number) => patchSize.map((n, a) => (a === axis ? n - by : n));
  // A smaller patch may be halved less often, and then a smaller step was possible.
  const next = getPoolAndConvProps(spacing, smaller(mustBeDivisibleBy[axis]), minEdge);
  return getPoolAndConvProps(spacing, smaller(next.mustBeDivisibleBy[axis]), minEdge);
}

/** @throws ConfigError for spacings that are not positive, and where not even the smallest patch fits the memory */
export function planConfiguration(request: ConfigurationRequest): PlannedConfiguration {
  const { settings, spacing, medianShape } = request;
  if (!spacing.every((s) => s > 0)) throw new ConfigError(`planConfiguration: spacing is [${spacing}]; expected numbers above 0`);
  const flat = spacing.length === 2;
  const reference = (flat ? settings.reference2d : settings.reference3d) * (request.gpuMemoryTargetInGb / settings.referenceGb);
  const referenceBatch = flat ? 12 : 2;
  let topology = getPoolAndConvProps(spacing, initialPatchSize(spacing, medianShape), minEdge);
  let size = estimate(request, topology);
  // The residual planner compares at the reference batch, the plain one at the least batch.
  const atLeast = settings.residual ? 1 : minBatchSize / referenceBatch;
  while (size * atLeast > reference) {
    const next = reduced(request, topology);
    if (!(sizeOf(next.patchSize) > 0) || sizeOf(next.patchSize) >= sizeOf(topology.patchSize))
      throw new ConfigError(
        `planConfiguration: no patch fits ${request.gpuMemoryTargetInGb} GB (the smallest is [${topology.patchSize}]); give more`,
      );
    topology = next;
    size = estimate(request, topology);
  }
  const fitting = roundHalfEven((reference / size) * referenceBatch);
  const covering = roundHalfEven((request.approximateVoxels * settings.maxDatasetCovered) / sizeOf(topology.patchSize));
  const { resampling } = settings;
  return {
    data_identifier: request.dataIdentifier,
    preprocessor_name: request.preprocessorName,
    batch_size: Math.max(Math.min(fitting, covering), minBatchSize),
    patch_size: topology.patchSize,
    median_image_size_in_voxels: medianShape,
    spacing,
    normalization_schemes: request.normalizationSchemes,
    use_mask_for_norm: request.useMaskForNorm,
    resampling_fn_data: resampling.fn,
    resampling_fn_seg: resampling.fn,
    resampling_fn_data_kwargs: resampling.data,
    resampling_fn_seg_kwargs: resampling.seg,
    resampling_fn_probabilities: resampling.fn,
    resampling_fn_probabilities_kwargs: resampling.probabilities,
    architecture: {
      network_class_name: `dynamic_network_architectures.architectures.unet.${settings.residual ? "ResidualEncoderUNet" : "PlainConvUNet"}`,
      arch_kwargs: architectureOf(request, topology),
      _kw_requires_import: ["conv_op", "norm_op", "dropout_op", "nonlin"],
    },
  };
}

/** A configuration with other channels in its first stage, and as many times those in the stages below. */
export function withFeatures(configuration: PlannedConfiguration, first: number): PlannedConfiguration {
  const { architecture } = configuration;
  const a = architecture.arch_kwargs;
  const features_per_stage = featuresOf(configuration.patch_size.length, a.n_stages, first);
  return { ...configuration, architecture: { ...architecture, arch_kwargs: { ...a, features_per_stage } } };
}

/**
 * A configuration whose first stage, that of all voxels and so the most expensive one, has a single convolution on each side in place of two. Networks of
 * residual blocks have no more than that.
 */
export function withThinFirstStage(configuration: PlannedConfiguration): PlannedConfiguration {
  const { architecture } = configuration;
  const a = architecture.arch_kwargs;
  if (a.n_conv_per_stage === undefined) return configuration;
  const arch_kwargs = {
    ...a,
    n_conv_per_stage: [1, ...a.n_conv_per_stage.slice(1)],
    n_conv_per_stage_decoder: [...a.n_conv_per_stage_decoder.slice(0, -1), 1],
  };
  return { ...configuration, architecture: { ...architecture, arch_kwargs } };
}

/** A configuration with the next smaller patch, by nnU-Net's own steps, and the network for it; undefined if there is none. */
export function withSmallerPatch(configuration: PlannedConfiguration): PlannedConfiguration | undefined {
  const { spacing, patch_size: patchSize, median_image_size_in_voxels: medianShape, architecture } = configuration;
  const a = architecture.arch_kwargs;
  const mustBeDivisibleBy = patchSize.map((_, axis) => a.strides.reduce((n, stride) => n * stride[axis], 1));
  const next = reduced({ spacing, medianShape }, { patchSize, mustBeDivisibleBy });
  const fits = sizeOf(next.patchSize) > 0 && sizeOf(next.patchSize) < sizeOf(patchSize) && next.poolOpKernelSizes.length > 1;
  if (!fits) return undefined;
  const residual = a.n_blocks_per_stage !== undefined;
  const arch_kwargs = architectureOf({ settings: { residual }, spacing }, next, a.features_per_stage[0]);
  return { ...configuration, patch_size: next.patchSize, architecture: { ...architecture, arch_kwargs } };
}
