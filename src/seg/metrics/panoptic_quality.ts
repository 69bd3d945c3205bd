/** @file Panoptic quality of instance masks (Kirillov et al. 2019), with MONAI's options. */

import { expectArguments } from "../../host/kinds.ts";
import { expectOptions } from "../../host/options.ts";
import type { HostArray, TypedArray } from "../../host/array.ts";
import { ConfigError, ShapeError } from "../../host/errors.ts";
import { sameShape, showShape } from "../../host/shape.ts";
import { assign } from "./assignment.ts";
import { CumulativeMetric, type ReductionOptions } from "./cumulative.ts";
import { type MetricReduction, reduceMetric } from "./reduction.ts";

/** Panoptic, segmentation and recognition quality. */
export type PanopticName = "pq" | "sq" | "rq" | "panoptic_quality" | "segmentation_quality" | "recognition_quality";

function shortName(op: string, name: string): "pq" | "sq" | "rq" {
  const known: Record<string, "pq" | "sq" | "rq"> = {
    panoptic_quality: "pq",
    segmentation_quality: "sq",
    recognition_quality: "rq",
  };
  const plain = name.replaceAll(" ", "_").toLowerCase();
  const short = known[plain] ?? plain;
  if (short !== "pq" && short !== "sq" && short !== "rq")
    throw new ConfigError(`${op}: metricName is "pq", "sq" or "rq", got "${name}"`);
  return short;
}

/** Instances that were found, found wrongly and missed, and the sum of the overlaps of the found. */
export interface PanopticCounts {
  /** Found: matched with one of the truth. */
  readonly tp: number;
  /** Found wrongly. */
  readonly fp: number;
  /** Missed. */
  readonly fn: number;
  /** Sum of the overlaps (IoU) of those found. */
  readonly iouSum: number;
}

const qualityOf = (name: "pq" | "sq" | "rq", { tp, fp, fn, iouSum }: PanopticCounts, smooth: number): number =>
  name === "sq" ? iouSum / (tp + smooth) : (name === "rq" ? tp : iouSum) / (tp + 0.5 * fp + 0.5 * fn + smooth);

/** Number of each instance in the order of their values, 0 left out. */
function numbered(data: TypedArray, counts: boolean): Map<number, number> {
  const sizes = new Map<number, number>();
  for (const v of data) if (v !== 0) sizes.set(v, (sizes.get(v) ?? 0) + 1);
  const ids = [...sizes.keys()].sort((a, b) => a - b);
  return new Map(ids.map((id, i) => [id, counts ? sizes.get(id)! : i]));
}

/** Intersection over union of every instance of the truth (rows) with every one of the prediction. */
function pairwiseIou(pred: TypedArray, gt: TypedArray): { iou: Float64Array; rows: number; columns: number } {
  const [predAt, gtAt] = [numbered(pred, false), numbered(gt, false)];
  const [predSize, gtSize] = [pred, gt].map((data) => [...numbered(data, true).values()]);
  const [rows, columns] = [gtSize.length, predSize.length];
  const iou = new Float64Array(rows * columns);
  for (let i = 0; i < gt.length; i++) if (gt[i] !== 0 && pred[i] !== 0) iou[gtAt.get(gt[i])! * columns + predAt.get(pred[i])!]++;
  for (let k = 0; k < iou.length; k++) {
    const both = iou[k];
    iou[k] = both / (gtSize[Math.floor(k / columns)] + predSize[k % columns] - both);
  }
  return { iou, rows, columns };
}

/** Options of `countPanoptic`, `computePanopticQuality`. */
export interface PanopticOptions {
  /** Default "pq". */
  readonly metricName?: PanopticName;
  /** Overlap above which two instances are one; below ½ the best assignment of all is looked for. Default 0.5. */
  readonly matchIouThreshold?: number;
  /** Keeps the quotient from 0/0. Default 1e-6. */
  readonly smoothNumerator?: number;
}

function checkThreshold(op: string, threshold: number): void {
  if (!(threshold > 0 && threshold <= 1))
    throw new ConfigError(`${op}: matchIouThreshold is above 0 and at most 1, got ${threshold}`);
}

/** Instances of one class counted (MONAI `compute_panoptic_quality` with `output_confusion_matrix`). Shapes, arguments and errors as `computePanopticQuality`. */
export function countPanoptic(
  pred: HostArray,
  gt: HostArray,
  options: Pick<PanopticOptions, "matchIouThreshold"> = {},
): PanopticCounts {
  const op = "countPanoptic";
  expectOptions(op, options, "matchIouThreshold:number");
  expectArguments("countPanoptic", "array", { pred, gt });
  const { matchIouThreshold = 0.5 } = options;
  if (!sameShape(pred.shape, gt.shape))
    throw new ShapeError(`${op}: pred ${showShape(pred.shape)} and gt ${showShape(gt.shape)} must have the same shape`);
  checkThreshold(op, matchIouThreshold);
  const { iou, rows, columns } = pairwiseIou(pred.data, gt.data);
  let [tp, iouSum] = [0, 0];
  const count = (overlap: number): void => {
    if (!(overlap > matchIouThreshold)) return;
    tp++;
    iouSum += overlap;
  };
  if (matchIouThreshold >= 0.5) for (const overlap of iou) count(overlap);
  else for (const [r, c] of assign(iou, rows, columns)) count(iou[r * columns + c]);
  return { tp, fp: columns - tp, fn: rows - tp, iouSum };
}

/**
 * Panoptic quality of one class (MONAI `compute_panoptic_quality`).
 * @param pred number of the instance that each pixel belongs to, 0 for none; of any shape
 * @param gt of the same shape
 * @throws ShapeError, ConfigError
 */
export function computePanopticQuality(pred: HostArray, gt: HostArray, options: PanopticOptions = {}): number {
  expectOptions("computePanopticQuality", options, "metricName:text matchIouThreshold:number smoothNumerator:number");
  const { metricName = "pq", smoothNumerator = 1e-6, matchIouThreshold = 0.5 } = options;
  return qualityOf(
    shortName("computePanopticQuality", metricName),
    countPanoptic(pred, gt, { matchIouThreshold }),
    smoothNumerator,
  );
}

/** Options of `PanopticQualityMetric`. */
export interface PanopticMetricOptions extends Omit<PanopticOptions, "metricName">, ReductionOptions {
  /** Without the background. */
  readonly numClasses: number;
  /** One, or several. Default "pq". */
  readonly metricName?: PanopticName | readonly PanopticName[];
}

/**
 * Panoptic quality over a data set (MONAI `PanopticQualityMetric`). Batches are `[N, 2, ...spatial]`: instances, then classes 0 (background) to `numClasses`.
 * Counts are reduced (default "mean_batch"), then the quality is taken of them.
 */
export class PanopticQualityMetric extends CumulativeMetric<PanopticMetricOptions> {
  private readonly names: readonly ("pq" | "sq" | "rq")[];

  constructor(options: PanopticMetricOptions) {
    const op = "PanopticQualityMetric";
    super(options);
    expectOptions(op, options, "numClasses:number metricName reduction matchIouThreshold:number smoothNumerator:number");
    const { metricName = "pq", numClasses, matchIouThreshold = 0.5 } = options;
    if (!(Number.isInteger(numClasses) && numClasses > 0))
      throw new ConfigError(`${op}: numClasses is a number above 0, got ${numClasses}`);
    checkThreshold(op, matchIouThreshold);
    this.names = (typeof metricName === "string" ? [metricName] : metricName).map((name) => shortName(op, name));
  }

  protected override compute(yPred: HostArray, y: HostArray): HostArray<Float64Array> {
    const op = "PanopticQualityMetric";
    if (!sameShape(yPred.shape, y.shape))
      throw new ShapeError(`${op}: yPred ${showShape(yPred.shape)} and y ${showShape(y.shape)} must have the same shape`);
    if (y.shape.length !== 4 || y.shape[1] !== 2)
      throw new ShapeError(`${op}: expected [N, 2, H, W], instances and classes, got ${showShape(y.shape)}`);
    const { numClasses } = this.options;
    const [samples, , ...shape] = y.shape;
    const data = new Float64Array(samples * numClasses * 4);
    for (let s = 0; s < samples; s++) {
      for (let c = 0; c < numClasses; c++) {
        const [pred, gt] = [yPred, y].map((a) => ({ data: instancesOf(a, s, c + 1), shape }));
        const { tp, fp, fn, iouSum } = countPanoptic(pred, gt, { matchIouThreshold: this.options.matchIouThreshold ?? 0.5 });
        data.set([tp, fp, fn, iouSum], (s * numClasses + c) * 4);
      }
    }
    return { data, shape: [samples, numClasses, 4] };
  }

  /** Every quality of `metricName`, reduced. @throws DataError when nothing was appended */
  aggregateAll(reduction: MetricReduction = this.options.reduction ?? "mean_batch"): HostArray<Float64Array>[] {
    const { value } = reduceMetric(this.scores(), reduction);
    const smooth = this.options.smoothNumerator ?? 1e-6;
    return this.names.map((name) => {
      const data = new Float64Array(value.data.length / 4);
      for (let i = 0; i < data.length; i++) {
        const [tp, fp, fn, iouSum] = value.data.subarray(4 * i, 4 * i + 4);
        data[i] = qualityOf(name, { tp, fp, fn, iouSum }, smooth);
      }
      return { data, shape: value.shape.slice(0, -1) };
    });
  }
}

/** Instances of the pixels of a class, 0 elsewhere. */
function instancesOf({ data, shape }: HostArray, sample: number, value: number): Float64Array {
  const pixels = data.length / (shape[0] * 2);
  const start = sample * 2 * pixels;
  const out = new Float64Array(pixels);
  for (let i = 0; i < pixels; i++) if (data[start + pixels + i] === value) out[i] = data[start + i];
  return out;
}
