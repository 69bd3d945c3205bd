/** @file nnU-Net's experiment planning: from a data set's fingerprint to `nnUNetPlans.json`, key for key. */

import { expectFields } from "../../host/kinds.ts";
import { expectOptions } from "../../host/options.ts";
import { sizeOf } from "../../host/array.ts";
import { ConfigError } from "../../host/errors.ts";
import { roundHalfEven } from "../../host/rounding.ts";
import { median, quantiles } from "../../host/stats.ts";
import type { DatasetFingerprint } from "../../data/nnunet/fingerprint.ts";
import { getNormalizationScheme, type IntensityProperties, usesMask } from "../../data/nnunet/normalize.ts";
import { anisotropyThreshold, computeNewShape } from "../../data/nnunet/resample.ts";
import { type ConfigurationRequest, planConfiguration, type PlannedConfiguration } from "./configuration.ts";
import { type PlannerName, planners, type PlannerSettings } from "./planners.ts";

/** The fields of a `dataset.json` that planning looks at. */
export interface PlannedDatasetJson {
  /** Name of each channel, by its number; "CT" is normalized in its own way. */
  readonly channel_names?: Readonly<Record<string, string>>;
  /** What old files have instead of `channel_names`. */
  readonly modality?: Readonly<Record<string, string>>;
  /** Value, or values of a region, of each class by name. */
  readonly labels: Readonly<Record<string, unknown>>;
  /** How many training cases there are. */
  readonly numTraining: number;
  /** Ending of the image files, with the dot. */
  readonly file_ending?: string;
  /** nnU-Net's class that reads the images. */
  readonly overwrite_image_reader_writer?: string;
}

/** How to plan; the names are nnU-Net's arguments. */
export interface PlanOptions {
  /** Default "ExperimentPlanner". */
  readonly planner?: PlannerName;
  /** Default the planner's: 8 GB, L 24, XL 40. */
  readonly gpuMemoryTargetInGb?: number;
  /** Default "DefaultPreprocessor". */
  readonly preprocessorName?: string;
  /** Default the planner's, such as "nnUNetPlans". */
  readonly plansName?: string;
  /** In mm, of 3d_fullres, in place of what the fingerprint suggests. */
  readonly overwriteTargetSpacing?: readonly number[];
  /** Leave the axes as they are; default false. */
  readonly suppressTranspose?: boolean;
  /** Default "". */
  readonly datasetName?: string;
}

/** `nnUNetPlans.json`. */
export interface NnunetPlans {
  /** Such as "Dataset004_Hippocampus". */
  readonly dataset_name: string;
  /** Such as "nnUNetPlans". */
  readonly plans_name: string;
  /** Median voxel size in mm, of the transposed axes. */
  readonly original_median_spacing_after_transp: readonly number[];
  /** Median voxels per axis, of the transposed axes. */
  readonly original_median_shape_after_transp: readonly number[];
  /** nnU-Net's class that reads and writes images. */
  readonly image_reader_writer: string;
  /** Which axis of z, y, x comes first, second and third. */
  readonly transpose_forward: readonly number[];
  /** What undoes it. */
  readonly transpose_backward: readonly number[];
  /** By name: "2d", "3d_fullres" … */
  readonly configurations: Readonly<Record<string, PlannedConfiguration | CascadeConfiguration>>;
  /** nnU-Net's class that made the plans. */
  readonly experiment_planner_used: string;
  /** nnU-Net's class of what labels mean. */
  readonly label_manager: string;
  /** Intensities of the foreground by number of the channel. */
  readonly foreground_intensity_properties_per_channel: Readonly<Record<string, IntensityProperties>>;
}

/** The second stage of a cascade: 3d_fullres behind 3d_lowres. */
export interface CascadeConfiguration {
  /** The configuration whose fields it has. */
  readonly inherits_from: string;
  /** The configuration whose predictions it starts from. */
  readonly previous_stage: string;
}

const column = (rows: readonly (readonly number[])[], a: number): number[] => rows.map((row) => row[a]);
const product = (values: readonly number[]): number => values.reduce((a, b) => a * b, 1);

/**
 * The spacing of 3d_fullres: per axis the median; of an axis with thick slices and few of them the 10th percentile, but no less than the other axes'. In
 * mm.
 */
export function determineFullresTargetSpacing(fingerprint: DatasetFingerprint): number[] {
  expectFields("determineFullresTargetSpacing", "fingerprint", fingerprint, {
    spacings: "objects",
    shapes_after_crop: "objects",
  });
  const { spacings, shapes_after_crop: sizes } = fingerprint;
  const target = spacings[0].map((_, a) => quantiles(column(spacings, a), [0.5])[0]);
  const size = target.map((_, a) => quantiles(column(sizes, a), [0.5])[0]);
  const worst = target.indexOf(Math.max(...target));
  const others = target.map((_, a) => a).filter((a) => a !== worst);
  const most = Math.max(...others.map((a) => target[a]));
  const thick = target[worst] > anisotropyThreshold * most;
  const few = size[worst] * anisotropyThreshold < Math.min(...others.map((a) => size[a]));
  if (thick && few) {
    const [low] = quantiles(column(spacings, worst), [0.1]);
    target[worst] = low < most ? most + 1e-5 : low;
  }
  return target;
}

/** Axes of the arrays of plans: the largest spacing first. */
function transposition(spacing: readonly number[], suppress: boolean): { forward: number[]; backward: number[] } {
  const axes = [0, 1, 2];
  if (suppress) return { forward: axes, backward: axes };
  const most = spacing.indexOf(Math.max(...spacing));
  const forward = [most, ...axes.filter((a) => a !== most)];
  return { forward, backward: axes.map((a) => forward.indexOf(a)) };
}

/** nnU-Net's class for files of an ending; of those that both take, the one for photographs refuses stacks. */
function readerWriter(
  { overwrite_image_reader_writer: given, file_ending: ending = ".nii.gz" }: PlannedDatasetJson,
  { shapes_after_crop: shapes }: DatasetFingerprint,
): string {
  if (given && given !== "None") return given;
  if (ending === ".tif" && shapes.some(([depth]) => depth > 1)) return "Tiff3DIO";
  if ([".png", ".bmp", ".tif"].includes(ending)) return "NaturalImage2DIO";
  if ([".nii.gz", ".nrrd", ".mha", ".gipl"].includes(ending)) return "SimpleITKIO";
  if (ending === ".tiff") return "Tiff3DIO";
  if (ending === ".nii") return "NibabelIO";
  throw new ConfigError(`planExperiment: no reader of nnU-Net's takes file_ending ${JSON.stringify(ending)}`);
}

/** What all configurations of a plan share. */
type Common = Omit<ConfigurationRequest, "spacing" | "medianShape" | "dataIdentifier" | "approximateVoxels">;

/**
 * Plans as nnU-Net plans.
 * @param fingerprint three spacings and sizes per case, axes as nnU-Net reads arrays (z, y, x)
 * @throws ConfigError for an unknown planner, and for a fingerprint or `dataset.json` that says nothing of what is needed
 */
export function planExperiment(
  fingerprint: DatasetFingerprint,
  dataset: PlannedDatasetJson,
  options: PlanOptions = {},
): NnunetPlans {
  expectOptions(
    "planExperiment",
    options,
    "planner gpuMemoryTargetInGb preprocessorName plansName overwriteTargetSpacing suppressTranspose datasetName",
  );
  expectFields("planExperiment", "fingerprint", fingerprint, { spacings: "objects", shapes_after_crop: "objects" });
  expectFields("planExperiment", "dataset", dataset, { channel_names: "object?" });
  const { planner = "ExperimentPlanner", overwriteTargetSpacing, suppressTranspose = false, datasetName = "" } = options;
  if (!Object.hasOwn(planners, planner))
    throw new ConfigError(`planExperiment: unknown planner "${String(planner)}"; known are ${Object.keys(planners).join(", ")}`);
  const settings: PlannerSettings = planners[planner];
  checkFingerprint(fingerprint, overwriteTargetSpacing);
  const plansName = options.plansName ?? settings.plansName;
  const identifier = (name: string) => `${settings.sharesData && name !== "3d_lowres" ? "nnUNetPlans" : plansName}_${name}`;

  const fullres = overwriteTargetSpacing ? [...overwriteTargetSpacing] : determineFullresTargetSpacing(fingerprint);
  const { forward, backward } = transposition(fullres, suppressTranspose);
  const turned = (values: readonly number[]) => forward.map((a) => values[a]);
  const { spacings, shapes_after_crop: shapes } = fingerprint;
  const newShapes = spacings.map((spacing, i) => computeNewShape(shapes[i], spacing, fullres));
  const medianShape = forward.map((a) => median(column(newShapes, a)));
  const common = commonRequest(fingerprint, dataset, settings, options);
  const voxels = product(medianShape) * dataset.numTraining;

  const is3d = medianShape[0] !== 1;
  const request3d = {
    ...common,
    spacing: turned(fullres),
    medianShape,
    dataIdentifier: identifier("3d_fullres"),
    approximateVoxels: voxels,
  };
  const plan3d = is3d ? planConfiguration(request3d) : undefined;
  const lowres = plan3d && planLowres(plan3d, request3d, dataset.numTraining, identifier("3d_lowres"));
  const plan2d = planConfiguration({
    ...request3d,
    spacing: turned(fullres).slice(1),
    medianShape: medianShape.slice(1),
    dataIdentifier: identifier("2d"),
  });
  return {
    dataset_name: datasetName,
    plans_name: plansName,
    original_median_spacing_after_transp: forward.map((a) => median(column(spacings, a))),
    original_median_shape_after_transp: forward.map((a) => roundHalfEven(median(column(shapes, a)))),
    image_reader_writer: readerWriter(dataset, fingerprint),
    transpose_forward: forward,
    transpose_backward: backward,
    configurations: {
      "2d": { ...plan2d, batch_dice: true },
      ...(lowres && { "3d_lowres": { ...lowres, batch_dice: false, next_stage: "3d_cascade_fullres" } }),
      ...(plan3d && { "3d_fullres": { ...plan3d, batch_dice: lowres !== undefined } }),
      ...(lowres && { "3d_cascade_fullres": { inherits_from: "3d_fullres", previous_stage: "3d_lowres" } }),
    },
    experiment_planner_used: planner,
    label_manager: "LabelManager",
    foreground_intensity_properties_per_channel: fingerprint.foreground_intensity_properties_per_channel,
  };
}

function checkFingerprint(
  { spacings, shapes_after_crop: shapes }: DatasetFingerprint,
  given: readonly number[] | undefined,
): void {
  if (spacings.length === 0 || spacings.length !== shapes.length)
    throw new ConfigError(
      `planExperiment: the fingerprint has ${spacings.length} spacings and ${shapes.length} shapes; expected one of each per case`,
    );
  const bad = [...spacings, ...shapes, given ?? [1, 1, 1]].find((v) => v.length !== 3 || !v.every((n) => n > 0));
  if (bad)
    throw new ConfigError(
      `planExperiment: [${bad}] is no spacing or shape; expected three numbers above 0 (2-D images have one slice)`,
    );
}

function commonRequest(
  fingerprint: DatasetFingerprint,
  dataset: PlannedDatasetJson,
  settings: PlannerSettings,
  { gpuMemoryTargetInGb = settings.gpuMemoryTargetInGb, preprocessorName = "DefaultPreprocessor" }: PlanOptions,
): Common {
  const channels = dataset.channel_names ?? dataset.modality;
  if (!channels) throw new ConfigError("planExperiment: dataset.json has no channel_names");
  if (!(gpuMemoryTargetInGb > 0))
    throw new ConfigError(`planExperiment: gpuMemoryTargetInGb is ${gpuMemoryTargetInGb}; expected more than 0`);
  const schemes = Object.values(channels).map(getNormalizationScheme);
  const masked = fingerprint.median_relative_size_after_cropping < 3 / 4;
  return {
    settings,
    gpuMemoryTargetInGb,
    preprocessorName,
    numLabels: Object.keys(dataset.labels).length,
    normalizationSchemes: schemes,
    useMaskForNorm: schemes.map((scheme) => masked && usesMask(scheme)),
  };
}

// If the patch shows less of the median case, a configuration of lower resolution is wanted too.
const lowresThreshold = 0.25;
const coarsening = 1.03;

/** 3d_lowres: the spacing grows, the finest axes first, until a patch covers a quarter of the median case; undefined if it then has hardly fewer voxels. */
function planLowres(
  fullres: PlannedConfiguration,
  request: ConfigurationRequest,
  numTraining: number,
  dataIdentifier: string,
): PlannedConfiguration | undefined {
  const { medianShape } = request;
  let spacing = [...fullres.spacing];
  let voxels = product(medianShape);
  let patch = sizeOf(fullres.patch_size);
  let plan: PlannedConfiguration | undefined;
  while (patch / voxels < lowresThreshold) {
    const most = Math.max(...spacing);
    const fine = spacing.map((s) => most / s > 2);
    spacing = spacing.map((s, a) => (fine[a] || !fine.includes(true) ? s * coarsening : s));
    const shape = fullres.spacing.map((s, a) => (s / spacing[a]) * medianShape[a]);
    voxels = product(shape);
    plan = planConfiguration({
      ...request,
      spacing,
      medianShape: shape.map(roundHalfEven),
      dataIdentifier,
      approximateVoxels: voxels * numTraining,
    });
    patch = sizeOf(plan.patch_size);
  }
  return product(medianShape) / voxels < 2 ? undefined : plan;
}
