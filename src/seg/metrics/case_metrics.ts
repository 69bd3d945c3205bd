/**
 * @file What a case is scored by: a table of metrics of one class of two label maps. All share the counts and the surfaces, which are worked out once.
 * A metric of your own is an object of this kind beside the table's rows.
 */

import { expectArguments, refused } from "../../host/kinds.ts";
import { expectOptions } from "../../host/options.ts";
import { millimetersOf, voxelVolumeAt } from "../../data/volume.ts";
import type { HostArray } from "../../host/array.ts";
import { ConfigError } from "../../host/errors.ts";
import type { LabelClass } from "../../data/labels.ts";
import type { Confusion } from "./confusion_matrix.ts";
import { hausdorffOf } from "./hausdorff_distance.ts";
import { LabelPairs } from "./label_pairs.ts";
import { countLesions, type LesionCounts } from "./lesions.ts";
import { averageDistanceOf } from "./surface_distance.ts";
import { surfaceDiceOf } from "./surface_dice.ts";
import { SurfacePair, type SurfacePairOptions } from "./surfaces.ts";

/** One class of a prediction and its truth. */
export interface ClassPair extends Confusion {
  /** Milliliters of a voxel, if the voxel size is in millimeters or in the unit that the truth names. */
  readonly voxelVolume: number;
  /** Up to which distance a surface counts as right, in the unit of the surfaces. */
  readonly tolerance: number;
  /** Surfaces of edge voxels, in millimeters if the voxel size is in these or in the unit that the truth names. */
  readonly surfaces: SurfacePair;
  /** Surfaces between voxels, weighted by area. */
  readonly subvoxelSurfaces: SurfacePair;
  /** Surfaces of edge voxels that have none where a mask meets the end of the volume. */
  readonly openSurfaces: SurfacePair;
  /** Connected components, and which of them the other mask touches. */
  readonly lesions: LesionCounts;
}

/** A metric of one case, a row of the table of `evaluate`. */
export interface CaseMetric {
  /** What it is called in tables and options. */
  readonly name: string;
  /** Behind the number in tables; "" for none. */
  readonly unit: string;
  /** The value of a perfect prediction; undefined for what is no score, such as a volume. */
  readonly best?: number;
  /** Infinity is a distance to nothing; NaN is what the class does not have. */
  readonly of: (pair: ClassPair) => number;
}

const ratio = (a: number, b: number): number => (b === 0 ? NaN : a / b);

/** A percentile of infinite distances is infinite here; between two of them MONAI's is NaN. */
const percentile = (pair: SurfacePair, percentileOf: "larger" | "pooled"): number =>
  pair.oneSided ? Infinity : hausdorffOf(pair, { percentile: 95, percentileOf });

/** The harmonic mean of both lesion rates. */
function lesionF1({ lesions, found, predicted, falsePositives }: LesionCounts): number {
  if (lesions + predicted === 0) return NaN;
  const sensitivity = found / Math.max(1, lesions);
  const precision = (predicted - falsePositives) / Math.max(1, predicted);
  return sensitivity + precision === 0 ? 0 : (2 * sensitivity * precision) / (sensitivity + precision);
}

const row = (name: string, unit: string, best: number | undefined, of: CaseMetric["of"]): CaseMetric =>
  best === undefined ? { name, unit, of } : { name, unit, best, of };

/**
 * The metrics by name. Distances are in millimeters: `hd` the largest, `hd95` the larger of both directed 95 % values, `hd95pooled` of both
 * directions together (MedPy), `asd` from prediction to truth, `assd` of both, `nsd` within the tolerance by area and `nsdvoxels` by edge voxels. `ravd` is
 * the difference of the volumes in percent of the truth's, `vs` the similarity of the volumes. Lesions are components (26 neighbors): `lesionsensitivity`
 * is the share of the truth's that the prediction touches, `lesionprecision` that of the prediction's on a lesion, `falselesions` how many are on none.
 */
export const caseMetrics: readonly CaseMetric[] = [
  row("dice", "", 1, ({ tp, fp, fn }) => ratio(2 * tp, 2 * tp + fp + fn)),
  row("iou", "", 1, ({ tp, fp, fn }) => ratio(tp, tp + fp + fn)),
  row("sensitivity", "", 1, ({ tp, fn }) => ratio(tp, tp + fn)),
  row("precision", "", 1, ({ tp, fp }) => ratio(tp, tp + fp)),
  row("specificity", "", 1, ({ tn, fp }) => ratio(tn, tn + fp)),
  row("hd", "mm", 0, ({ surfaces }) => hausdorffOf(surfaces)),
  row("hd95", "mm", 0, ({ surfaces }) => percentile(surfaces, "larger")),
  row("hd95pooled", "mm", 0, ({ surfaces }) => percentile(surfaces, "pooled")),
  row("asd", "mm", 0, ({ surfaces }) => averageDistanceOf(surfaces, false)),
  row("assd", "mm", 0, ({ surfaces }) => averageDistanceOf(surfaces, true)),
  row("nsd", "", 1, ({ subvoxelSurfaces, tolerance }) => surfaceDiceOf(subvoxelSurfaces, tolerance)),
  row("nsdvoxels", "", 1, ({ surfaces, tolerance }) => surfaceDiceOf(surfaces, tolerance)),
  row("ravd", "%", 0, ({ tp, fp, fn }) => ratio(100 * Math.abs(fp - fn), tp + fn)),
  row("vs", "", 1, ({ tp, fp, fn }) => 1 - ratio(Math.abs(fp - fn), 2 * tp + fp + fn)),
  row("lesionsensitivity", "", 1, ({ lesions }) => ratio(lesions.found, lesions.lesions)),
  row("lesionprecision", "", 1, ({ lesions }) => ratio(lesions.predicted - lesions.falsePositives, lesions.predicted)),
  row("lesionf1", "", 1, ({ lesions }) => lesionF1(lesions)),
  row("falselesions", "", 0, ({ lesions }) => lesions.falsePositives),
  row("volume", "ml", undefined, ({ tp, fp, voxelVolume }) => (tp + fp) * voxelVolume),
  row("truevolume", "ml", undefined, ({ tp, fn, voxelVolume }) => (tp + fn) * voxelVolume),
];

/** The metrics of some names. @throws ConfigError naming those that there are */
export function caseMetricsNamed(names: readonly string[]): CaseMetric[] {
  expectArguments("caseMetricsNamed", "texts", { names });
  return names.map((name) => {
    const found = caseMetrics.find((m) => m.name === name);
    if (!found) throw new ConfigError(`there is no metric "${name}"; known are ${caseMetrics.map((m) => m.name).join(", ")}`);
    return found;
  });
}

/**
 * What a class scores that the truth does not have. "nan": as the metric says, NaN if the prediction has none of it either. "skip": always NaN, as MONAI's
 * `ignore_empty`. "best": the best value if the prediction has none of it either.
 */
export type EmptyRule = "nan" | "skip" | "best";

/** Options of `scoreCase`. */
export interface ScoreOptions {
  /** What is measured. */
  readonly metrics: readonly CaseMetric[];
  /** What it is measured of. */
  readonly classes: readonly LabelClass[];
  /** Size of a voxel along each axis, in the unit that a truth that is a `Volume` names, else in mm. Volumes are by the affine of a truth that is a `Volume` of this size, whose axes need not be at right angles. */
  readonly spacing: readonly number[];
  /** Truth value of voxels that do not count. */
  readonly ignore?: number | undefined;
  /** Default "nan". */
  readonly empty?: EmptyRule;
  /** For `nsd` and `nsdvoxels`, in mm. Default 1. */
  readonly tolerance?: number;
}

/** 1 where a value is among `values` and the truth is not ignored. */
function maskOf({ data }: HostArray, truth: HostArray, values: readonly number[], ignore: number | undefined): Uint8Array {
  const mask = new Uint8Array(data.length);
  const inside = new Set(values);
  const only = values.length === 1 ? values[0] : undefined;
  for (let i = 0; i < mask.length; i++) {
    const v = data[i];
    if (only === undefined ? inside.has(v) : v === only) mask[i] = 1;
  }
  if (ignore !== undefined) for (let i = 0; i < mask.length; i++) if (truth.data[i] === ignore) mask[i] = 0;
  return mask;
}

/** The surfaces of a class are made when a metric first asks for them. */
class LazyPair implements ClassPair {
  readonly tp: number;
  readonly fp: number;
  readonly tn: number;
  readonly fn: number;
  readonly voxelVolume: number;
  readonly tolerance: number;
  private readonly masks: () => readonly [prediction: HostArray<Uint8Array>, truth: HostArray<Uint8Array>];
  private readonly spacing: readonly number[];
  private edges: SurfacePair | undefined;
  private between: SurfacePair | undefined;
  private open: SurfacePair | undefined;
  private components: LesionCounts | undefined;

  /** `spacing` in mm. */
  constructor(counts: Confusion, voxelVolume: number, tolerance: number, spacing: readonly number[], masks: LazyPair["masks"]) {
    ({ tp: this.tp, fp: this.fp, tn: this.tn, fn: this.fn } = counts);
    this.voxelVolume = voxelVolume;
    this.tolerance = tolerance;
    this.spacing = spacing;
    this.masks = masks;
  }

  private make(kind: SurfacePairOptions): SurfacePair {
    const [p, t] = this.masks();
    return new SurfacePair(p.data, t.data, t.shape, { spacing: this.spacing.slice(-t.shape.length), ...kind });
  }

  get surfaces(): SurfacePair {
    return (this.edges ??= this.make({}));
  }

  get subvoxelSurfaces(): SurfacePair {
    return (this.between ??= this.make({ useSubvoxels: true }));
  }

  get openSurfaces(): SurfacePair {
    return (this.open ??= this.make({ border: "inside" }));
  }

  get lesions(): LesionCounts {
    return (this.components ??= countLesions(...this.masks()));
  }
}

/**
 * Scores of a case: per class, then per metric.
 * @param prediction stored label values `[1, ...spatial]`
 * @param truth of the same shape
 * @throws ShapeError, DataError for sizes of voxels that are none, ConfigError for options out of range
 */
export function scoreCase(prediction: HostArray, truth: HostArray, options: ScoreOptions): number[][] {
  expectOptions("scoreCase", options, "metrics:objects! classes:objects! spacing:numbers! ignore empty tolerance:number");
  expectArguments("scoreCase", "array", { prediction, truth });
  const { metrics, classes, ignore, empty = "nan", tolerance = 1 } = options;
  if (!["nan", "skip", "best"].includes(empty)) refused("scoreCase", "empty", '"nan", "skip" or "best"', empty);
  if (!(tolerance >= 0)) refused("scoreCase", "tolerance", "a number of at least 0", tolerance);
  const pairs = new LabelPairs("scoreCase", prediction, truth, ignore);
  const shape = truth.shape.slice(1);
  const milliliters = voxelVolumeAt(truth, options.spacing) / 1000;
  const unit = millimetersOf(truth);
  const spacing = options.spacing.map((s) => s * unit);
  return classes.map(({ values }) => {
    const counts = pairs.confusion(values);
    const mask = (a: HostArray): HostArray<Uint8Array> => ({ data: maskOf(a, truth, values, ignore), shape });
    const pair = new LazyPair(counts, milliliters, tolerance, spacing, () => [mask(prediction), mask(truth)]);
    const absent = counts.tp + counts.fn === 0;
    return metrics.map(({ best, of }) => {
      if (best === undefined || !absent || (empty === "nan" && counts.fp > 0)) return of(pair);
      if (empty === "skip") return NaN;
      return counts.fp > 0 ? of(pair) : empty === "best" ? best : NaN;
    });
  });
}
