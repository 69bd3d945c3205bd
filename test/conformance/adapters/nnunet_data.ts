/** @file nnU-Net's preprocessing, planning and sliding window. */
import { boundingBoxOf, createNonzeroMask, cropToNonzero } from "../../../src/data/nnunet/crop.ts";
import { getNormalizationScheme, normalizeIntensities, type NormalizationScheme } from "../../../src/data/nnunet/normalize.ts";
import { padNdImage } from "../../../src/data/nnunet/pad.ts";
import { cropAndPad, patchGeometry } from "../../../src/data/nnunet/patches.ts";
import { sampleForegroundLocations } from "../../../src/data/nnunet/preprocess.ts";
import {
  computeNewShape,
  determineDoSepZAndAxis,
  getDoSeparateZ,
  getLowresAxis,
  resampleDataOrSegToShape,
  resampleDataOrSegToSpacing,
  type ResampleToShapeOptions,
} from "../../../src/data/nnunet/resample.ts";
import { resampleByPlan } from "../../../src/data/nnunet/resample_by_plan.ts";
import { resizeLabels } from "../../../src/data/nnunet/resample_labels.ts";
import { generateCrossvalSplit } from "../../../src/data/nnunet/splits.ts";
import { computeGaussian, computeStepsForSlidingWindow, withMirroring } from "../../../src/seg/inference/nnunet_windows.ts";
import type { PlannedConfiguration } from "../../../src/seg/nnunet/configuration.ts";
import { determineFullresTargetSpacing, planExperiment } from "../../../src/seg/nnunet/plan.ts";
import { type PlannerName, planners } from "../../../src/seg/nnunet/planners.ts";
import { getPoolAndConvProps, padShape } from "../../../src/seg/nnunet/topology.ts";
import { polynomialDecay } from "../../../src/nn/optim/rates.ts";
import { type HostArray, sizeOf } from "../../../src/host/array.ts";
import { type Adapters, type Case, expectKnown, type Families, NotCovered, wave } from "../format.ts";

type Args = Record<string, any>;

/** Arguments and inputs of a case together, with the names that are known here. */
function argumentsOf(test: Case, known: string): Args {
  const merged = { ...test.inputs, ...test.args };
  expectKnown(test.op, merged, known.split(" "));
  return merged;
}

const given = (options: Args): Args => Object.fromEntries(Object.entries(options).filter(([, v]) => v !== undefined));

function resampleOptions(a: Args): ResampleToShapeOptions {
  return given({
    isSeg: a.is_seg,
    order: a.order,
    orderZ: a.order_z,
    forceSeparateZ: a.force_separate_z,
    separateZAnisotropyThreshold: a.separate_z_anisotropy_threshold,
  });
}

const resampleNames = "data current_spacing new_spacing is_seg order order_z force_separate_z separate_z_anisotropy_threshold";

function normalization(test: Case): HostArray {
  const a = argumentsOf(test, "image seg use_mask_for_norm intensityproperties target_dtype");
  if ((a.target_dtype ?? "float32") !== "float32") throw new NotCovered(a.target_dtype);
  return normalizeIntensities(test.op.replace("nnunet.", "") as NormalizationScheme, a.image, {
    useMaskForNorm: a.use_mask_for_norm ?? false,
    intensityProperties: a.intensityproperties ?? {},
    seg: a.seg ?? undefined,
  });
}

/** Cases say how a data set looks; a fingerprint and a dataset.json say it to the planner. */
function plan(test: Case): unknown {
  const names =
    "name num_channels num_labels_incl_bg median_relative_size_after_cropping channel_names gpu_memory_target_in_gb numTraining " +
    "overwrite_target_spacing suppress_transpose spacings shapes_after_crop";
  const a = argumentsOf(test, names);
  const planner = test.op.split(".")[1] as PlannerName;
  const channels: Args = a.channel_names ?? Object.fromEntries(Array.from({ length: a.num_channels }, (_, c) => [c, "MRI"]));
  const fingerprint = {
    spacings: a.spacings,
    shapes_after_crop: a.shapes_after_crop,
    median_relative_size_after_cropping: a.median_relative_size_after_cropping,
    foreground_intensity_properties_per_channel: {},
  };
  const plans = planExperiment(
    fingerprint,
    {
      channel_names: channels,
      labels: Object.fromEntries(Array.from({ length: a.num_labels_incl_bg }, (_, i) => [`label ${i}`, i])),
      numTraining: a.numTraining,
    },
    given({
      planner,
      gpuMemoryTargetInGb: a.gpu_memory_target_in_gb ?? undefined,
      overwriteTargetSpacing: a.overwrite_target_spacing ?? undefined,
      suppressTranspose: a.suppress_transpose ?? undefined,
    }),
  );
  return {
    ...plans,
    fullres_target_spacing: a.overwrite_target_spacing ?? determineFullresTargetSpacing(fingerprint),
    ...Object.fromEntries(Object.entries(plans.configurations).map(([name, c]) => [name, summary(c as PlannedConfiguration)])),
  };
}

function summary(c: PlannedConfiguration): unknown {
  return { ...c, ...c.architecture?.arch_kwargs };
}

function pad(test: Case): unknown {
  const a = argumentsOf(test, "image new_shape mode constant_values shape_must_be_divisible_by kwargs return_slicer");
  return padNdImage(
    a.image,
    given({
      newShape: a.new_shape ?? undefined,
      mode: a.mode,
      constantValues: a.constant_values ?? a.kwargs?.constant_values,
      shapeMustBeDivisibleBy: a.shape_must_be_divisible_by ?? undefined,
    }),
  );
}

async function mirror(test: Case): Promise<unknown> {
  const a = argumentsOf(test, "x mirror_axes network");
  const [, sine] = /wave\(x\.shape\[1:\], (.*?)\)/.exec(a.network) ?? [];
  if (!sine) throw new NotCovered(`network "${a.network}"`);
  const numbers = Object.fromEntries(
    sine
      .split(", ")
      .map((pair) => pair.split("="))
      .map(([k, v]) => [k, Number(v)]),
  );
  const network = ({ data, shape }: HostArray<Float32Array>): HostArray<Float32Array> => {
    const factor = wave({ shape: shape.slice(1), ...numbers }).data;
    return { data: data.map((v, i) => v * factor[i % sizeOf(shape.slice(1))]), shape };
  };
  return withMirroring(network, a.mirror_axes ?? [])(a.x);
}

function split(test: Case): unknown {
  const a = argumentsOf(test, "n_cases ids seed n_splits train_identifiers");
  const pad0 = (i: number, n: number) => String(i).padStart(n, "0");
  const ids: string[] =
    a.train_identifiers ??
    (Array.isArray(a.ids)
      ? a.ids
      : Array.from({ length: a.n_cases }, (_, i) => a.ids.replace(/%0?(\d*)d/, (_m: string, n: string) => pad0(i, Number(n)))));
  const folds = generateCrossvalSplit(ids, given({ seed: a.seed, nSplits: a.n_splits }));
  return Array.isArray(test.expected[0]) ? folds.map((f) => f.val) : folds;
}

function topology(test: Case): unknown {
  const a = argumentsOf(test, "spacing patch_size min_feature_map_size max_numpool");
  const t = getPoolAndConvProps(a.spacing, a.patch_size, a.min_feature_map_size, a.max_numpool);
  return {
    num_pool_per_axis: t.numPoolPerAxis,
    pool_op_kernel_sizes: t.poolOpKernelSizes,
    conv_kernel_sizes: t.convKernelSizes,
    patch_size: t.patchSize,
    must_be_divisible_by: t.mustBeDivisibleBy,
  };
}

/** The rate at each step, or at those that are listed. */
function polynomialRates(test: Case): unknown {
  const a = argumentsOf(test, "initial_lr max_steps exponent steps current_step current_steps epochs base_lr lr");
  const rate = polynomialDecay({ totalIters: a.max_steps, power: a.exponent ?? 0.9 });
  const base = a.initial_lr ?? a.lr ?? a.base_lr;
  const given = a.steps ?? a.current_steps ?? a.epochs ?? a.current_step;
  if (typeof given === "number" && typeof test.expected === "number") return rate(given, base);
  const steps: ArrayLike<number> = Array.isArray(given)
    ? given
    : (given?.data ?? { length: test.expected.length ?? test.expected.shape[0] });
  return Float64Array.from({ length: steps.length }, (_, i) => rate(steps[i] ?? i, base));
}

/** Voxels of each class, by its name. */
function locations(test: Case): unknown {
  const a = argumentsOf(test, "seg classes_or_regions seed verbose");
  const found = sampleForegroundLocations(a.seg, a.classes_or_regions, given({ seed: a.seed }));
  const key = (c: number | readonly number[]) =>
    typeof c === "number" ? String(c) : `(${c.join(", ")}${c.length === 1 ? "," : ""})`;
  return Object.fromEntries(found.map(({ classOrRegion, locations: list }) => [key(classOrRegion), list]));
}

/** What nnU-Net's trainer derives from a patch: angles, whether slices are turned as images, what is cut, axes of mirroring. */
function geometry(test: Case): unknown {
  const a = argumentsOf(test, "patch_size");
  const { rotation, dummy2d, initialPatchSize, mirrorAxes } = patchGeometry(a.patch_size);
  if (Array.isArray(test.expected)) return [rotation, dummy2d, initialPatchSize, mirrorAxes];
  return {
    rotation_for_DA: rotation,
    do_dummy_2d_data_aug: dummy2d,
    initial_patch_size: initialPatchSize,
    mirror_axes: mirrorAxes,
  };
}

export const adapters: Adapters = {
  "acvl.pad_nd_image": pad,
  "acvl.crop_and_pad_nd": (test) => {
    const a = argumentsOf(test, "image bbox pad_value pad_mode");
    if ((a.pad_mode ?? "constant") !== "constant" || a.image.shape.length - a.bbox.length !== 1)
      throw new NotCovered("pads and axes");
    // Boxes of fewer axes than three are boxes whose first axes have one place.
    const lead = new Array<number>(3 - a.bbox.length).fill(1);
    const [channels, ...size] = a.image.shape as number[];
    const image = { data: a.image.data, shape: [channels, ...lead, ...size] };
    const box = [...lead.map(() => [0, 1]), ...(a.bbox as number[][])];
    const out = cropAndPad(
      image,
      box.map(([from]) => from),
      box.map(([from, to]) => to - from),
      a.pad_value ?? 0,
    );
    return { data: out.data, shape: [channels, ...out.shape.slice(1 + lead.length)] };
  },
  "acvl.get_bbox_from_mask": (test) => boundingBoxOf(argumentsOf(test, "mask").mask),
  "nnunet.create_nonzero_mask": (test) => createNonzeroMask(argumentsOf(test, "data").data),
  "nnunet.configure_rotation_dummyDA_mirroring_and_inital_patch_size": geometry,
  "nnunet.determine_fullres_target_spacing": (test) => {
    const { fingerprint, ...rest } = argumentsOf(test, "fingerprint spacings shapes_after_crop");
    return determineFullresTargetSpacing(fingerprint ?? rest);
  },
  "nnunet.PolyLRScheduler": polynomialRates,
  "nnunet.sample_foreground_locations": locations,
  "nnunet._sample_foreground_locations": locations,
  "batchgenerators.resize_segmentation": (test) => {
    const a = argumentsOf(test, "segmentation new_shape order");
    return resizeLabels(a.segmentation, a.new_shape, a.order ?? 3);
  },
  "nnunet.compute_gaussian": (test) => {
    const a = argumentsOf(test, "tile_size sigma_scale value_scaling_factor dtype");
    // The cases are in float32, where nothing else is said.
    return computeGaussian(a.tile_size, {
      ...given({ sigmaScale: a.sigma_scale, valueScalingFactor: a.value_scaling_factor }),
      dtype: a.dtype ?? "float32",
    });
  },
  "nnunet.compute_new_shape": (test) => {
    const a = argumentsOf(test, "old_shape old_spacing new_spacing");
    return computeNewShape(a.old_shape, a.old_spacing, a.new_spacing);
  },
  "nnunet.compute_steps_for_sliding_window": (test) => {
    const a = argumentsOf(test, "image_size tile_size tile_step_size");
    return computeStepsForSlidingWindow(a.image_size, a.tile_size, a.tile_step_size);
  },
  "nnunet.crop_to_nonzero": (test) => {
    const a = argumentsOf(test, "data seg nonzero_label");
    return cropToNonzero(a.data, a.seg ?? undefined, given({ nonzeroLabel: a.nonzero_label }));
  },
  "nnunet.determine_do_sep_z_and_axis": (test) => {
    const a = argumentsOf(test, "force_separate_z current_spacing new_spacing threshold separate_z_anisotropy_threshold");
    const threshold = a.threshold ?? a.separate_z_anisotropy_threshold;
    const { doSeparateZ, axis } = determineDoSepZAndAxis(a.force_separate_z, a.current_spacing, a.new_spacing, threshold);
    return { do_separate_z: doSeparateZ, axis };
  },
  "nnunet.generate_crossval_split": split,
  "nnunet.get_do_separate_z": ({ args: a }) => getDoSeparateZ(a.spacing, a.anisotropy_threshold ?? a.threshold),
  "nnunet.get_lowres_axis": ({ args: a }) => {
    const axes = getLowresAxis(a.new_spacing ?? a.spacing);
    return { data: Int32Array.from(axes), shape: [axes.length] };
  },
  "nnunet.get_normalization_scheme": ({ args }) => getNormalizationScheme(args.channel_name),
  "nnunet.get_pool_and_conv_props": topology,
  "nnunet.mirror_tta": mirror,
  "nnunet.pad_shape": ({ args: a }) => padShape(a.shape, a.must_be_divisible_by),
  "nnunet.resample_data_or_seg_to_shape": (test) => {
    const a = argumentsOf(test, `new_shape ${resampleNames}`);
    return resampleDataOrSegToShape(a.data, a.new_shape, a.current_spacing, a.new_spacing, resampleOptions(a));
  },
  "nnunet.resample_torch_fornnunet": (test) => {
    const {
      data,
      new_shape: shape,
      current_spacing: from,
      new_spacing: to,
      ...kwargs
    } = { ...test.inputs, ...test.args } as Args;
    return resampleByPlan("resample_torch_fornnunet", kwargs, data, shape, from, to);
  },
  "nnunet.resample_data_or_seg_to_spacing": (test) => {
    const a = argumentsOf(test, resampleNames);
    return resampleDataOrSegToSpacing(a.data, a.current_spacing, a.new_spacing, resampleOptions(a));
  },
};

export const families: Families = [
  [/^nnunet\.\w+Normalization$/, normalization],
  [new RegExp(`^nnunet\\.(?:${Object.keys(planners).join("|")})\\.plan(?:_experiment)?$`), plan],
];
