/** @file One configuration of a plan (2d, 3d_fullres, 3d_lowres): patch, batch and network for a spacing and a median shape. */

import { sizeOf } from "../../host/array.ts";
import { ConfigError } from "../../host/errors.ts";
import { roundHalfEven } from "../../host/rounding.ts";
import { computeConvFeatureMapSize } from "./feature_map_size.ts";
import type { PlannerSettings } from "./planners.ts";
import { getPoolAndConvProps, type Topology } from "./topology.ts";

/** `arch_kwargs` of a plan. */
export type ArchitectureArguments = {
  /** Resolutions of the encoder. */
  readonly n_stages: number;
  /** Channels of each stage, highest resolution first. */
  readonly features_per_stage: readonly number[];
  /** PyTorch's class, by its dotted name, such as "torch.nn.modules.conv.Conv3d"; so are the other `…_op`. */
  readonly conv_op: string;
  /** Of each stage, per axis. */
  readonly kernel_sizes: readonly (readonly number[])[];
  /** Of each stage, per axis. */
  readonly strides: readonly (readonly number[])[];
  /** Convolutions of each encoder stage, of the plain encoder. */
  readonly n_conv_per_stage?: readonly number[];
  /** Residual blocks of each encoder stage, of the residual encoder. */
  readonly n_blocks_per_stage?: readonly number[];
  /** Convolutions of each decoder stage. */
  readonly n_conv_per_stage_decoder: readonly number[];
  /** Whether convolutions have a bias. */
  readonly conv_bias: boolean;
  /** Class of the norm. */
  readonly norm_op: string;
  /** `eps`, and whether the norm has scale and shift (`affine`). */
  readonly norm_op_kwargs: { readonly eps: number; readonly affine: boolean };
  /** Without dropout, always. */
  readonly dropout_op: null;
  /** Of the dropout there is not. */
  readonly dropout_op_kwargs: null;
  /** Class of the activation. */
  readonly nonlin: string;
  /** `inplace`, which means nothing here. */
  readonly nonlin_kwargs: { readonly inplace: boolean };
};

/** A configuration as `nnUNetPlans.json` has it. */
export interface PlannedConfiguration {
  /** Name of the folder of preprocessed data. */
  readonly data_identifier: string;
  /** nnU-Net's class that preprocesses. */
  readonly preprocessor_name: string;
  /** Patches per step. */
  readonly batch_size: number;
  /** Voxels per axis, of the transposed axes. */
  readonly patch_size: readonly number[];
  /** Voxels per axis of the median case at this spacing. */
  readonly median_image_size_in_voxels: readonly number[];
  /** In mm, of the transposed axes. */
  readonly spacing: readonly number[];
  /** nnU-Net's class of each channel, such as "ZScoreNormalization". */
  readonly normalization_schemes: readonly string[];
  /** Whether each channel is normalized within the mask of what is not zero. */
  readonly use_mask_for_norm: readonly boolean[];
  /** nnU-Net's function that resamples images. */
  readonly resampling_fn_data: string;
  /** nnU-Net's function that resamples label maps. */
  readonly resampling_fn_seg: string;
  /** Its options for images. */
  readonly resampling_fn_data_kwargs: Readonly<Record<string, unknown>>;
  /** Its options for label maps. */
  readonly resampling_fn_seg_kwargs: Readonly<Record<string, unknown>>;
  /** nnU-Net's function that resamples the network's output. */
  readonly resampling_fn_probabilities: string;
  /** Its options for the output. */
  readonly resampling_fn_probabilities_kwargs: Readonly<Record<string, unknown>>;
  /** The network: its class (`network_class_name`), its arguments (`arch_kwargs`), and which of these name a Python class (`_kw_requires_import`). */
  readonly architecture: {
    readonly network_class_name: string;
    readonly arch_kwargs: ArchitectureArguments;
    readonly _kw_requires_import: readonly string[];
  };
  /** Dice loss of the batch as a whole, in place of each sample. */
  readonly batch_dice?: boolean;
  /** The configuration that goes on from this one's predictions, of cascades. */
  readonly next_stage?: string;
  /** The configuration whose predictions this one sees, of the second stage of a cascade. */
  readonly previous_stage?: string;
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

/** The layers that all of nnU-Net's networks are made of, for so many spatial axes. */
export const layersOf = (dims: number) => ({
  conv_op: `torch.nn.modules.conv.Conv${dims}d`,
  conv_bias: true,
  norm_op: `torch.nn.modules.instancenorm.InstanceNorm${dims}d`,
  norm_op_kwargs: { eps: 1e-5, affine: true },
  dropout_op: null,
  dropout_op_kwargs: null,
  nonlin: "torch.nn.LeakyReLU",
  nonlin_kwargs: { inplace: true },
});

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
    ...layersOf(dims),
    kernel_sizes: topology.convKernelSizes,
    strides: topology.poolOpKernelSizes,
    ...(settings.residual ? { n_blocks_per_stage: residualBlocks.slice(0, stages) } : { n_conv_per_stage: per(2) }),
    n_conv_per_stage_decoder: per(settings.residual ? 1 : 2).slice(1),
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
  // A network of one stage has no cheaper ones.
  if (a.n_conv_per_stage === undefined || a.n_conv_per_stage.length < 2) return configuration;
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
