/** @file Weights of voxels by their labels, against rare classes and blurred borders. */

import { expectArguments, expectKinds, refused } from "../host/kinds.ts";
import { expectOptions } from "../host/options.ts";
import type { HostArray, TypedArray } from "../host/array.ts";
import { DataError, ShapeError } from "../host/errors.ts";
import { stridesOf } from "../host/shape.ts";
import { median } from "../host/stats.ts";

/** How `medianFrequencyWeights` weighs. */
export interface MedianFrequencyOptions {
  /** Length of `classWeights`; default 33, QuickNAT's classes. */
  readonly numClasses?: number;
  /** Added where the label changes; default 2. */
  readonly edgeWeight?: number;
  /**
   * The original's numbers: class weights are rounded down, so that frequent classes get 0, and of a stack of slices borders are looked for
   * along slice and row instead of row and column.
   */
  readonly compat?: "quicknat";
}

/** What `medianFrequencyWeights` gives. */
export interface LabelWeights {
  /** Weight of each voxel, the shape of the labels: of its class, plus `edgeWeight` at borders. */
  readonly weights: HostArray<Float32Array>;
  /** `[numClasses]`; 0 for classes that do not occur. */
  readonly classWeights: HostArray<Float32Array>;
}

/** Whether the central difference (one-sided at the ends) of the labels along an axis is not zero. */
function changes(data: TypedArray, i: number, stride: number, size: number): boolean {
  const at = Math.floor(i / stride) % size;
  return data[at === 0 ? i : i - stride] !== data[at === size - 1 ? i : i + stride];
}

/**
 * Weights of QuickNAT's logistic loss (Roy et al. 2017, ReLayNet; 2019, QuickNAT): median(counts) / count of each voxel's class among the labels
 * given, plus `edgeWeight` where the label's gradient within the slice is not zero.
 * @param labels class indices, a stack of slices `[S, H, W]` or one slice `[H, W]`
 * @throws ShapeError, DataError for labels that are not class indices below `numClasses`
 */
export function medianFrequencyWeights(labels: HostArray, options: MedianFrequencyOptions = {}): LabelWeights {
  expectOptions("medianFrequencyWeights", options, "numClasses edgeWeight:number compat:text");
  expectArguments("medianFrequencyWeights", "array", { labels });
  const op = "medianFrequencyWeights";
  if (options.compat !== undefined && options.compat !== "quicknat") refused(op, "compat", '"quicknat"', options.compat);
  const { numClasses = 33, edgeWeight = 2 } = options;
  const compat = options.compat === "quicknat";
  const { data, shape } = labels;
  if (shape.length !== 2 && shape.length !== 3) {
    throw new ShapeError(`${op}: the labels are [${shape}]; expected a stack of slices [S, H, W] or a slice [H, W]`);
  }
  if (compat && shape.some((n) => n < 2)) {
    throw new ShapeError(`${op}: the original's gradient needs 2 labels along each axis, got [${shape}]`);
  }
  const counts = new Float64Array(numClasses);
  for (const v of data) {
    if (!(Number.isInteger(v) && v >= 0 && v < numClasses)) {
      throw new DataError(`${op}: the labels hold ${v}; expected class indices 0 … ${numClasses - 1}; map the labels first`);
    }
    counts[v]++;
  }
  const middle = median(Array.from(counts).filter((n) => n > 0));
  const classWeights = Float32Array.from(counts, (n) => (n === 0 ? 0 : compat ? Math.floor(middle / n) : middle / n));
  const axes = compat ? [0, 1] : [shape.length - 2, shape.length - 1];
  return { weights: weighed(labels, classWeights, edgeWeight, axes), classWeights: { data: classWeights, shape: [numClasses] } };
}

/**
 * The weights of a slice by those of its classes, as `medianFrequencyWeights` of the stack that it is from would have them.
 * @param labels class indices `[…, H, W]`
 * @param classWeights an entry per class
 * @param edgeWeight added where the label changes within the slice; default 2
 * @throws DataError for labels that are no index of `classWeights`
 */
export function sliceWeights(labels: HostArray, classWeights: Float32Array, edgeWeight = 2): HostArray<Float32Array> {
  expectKinds("sliceWeights", { array: { labels }, values: { classWeights }, number: { edgeWeight } });
  const beyond = labels.data.find((v: number) => !(Number.isInteger(v) && v >= 0 && v < classWeights.length));
  if (beyond !== undefined)
    throw new DataError(
      `sliceWeights: the labels hold ${beyond}; expected class indices 0 … ${classWeights.length - 1}; map the labels first`,
    );
  const rank = labels.shape.length;
  return weighed(labels, classWeights, edgeWeight, [rank - 2, rank - 1]);
}

function weighed(
  { data, shape }: HostArray,
  classWeights: Float32Array,
  edgeWeight: number,
  axes: readonly number[],
): HostArray<Float32Array> {
  const strides = stridesOf(shape);
  const weights = new Float32Array(data.length);
  for (let i = 0; i < weights.length; i++) {
    let edge = false;
    for (let a = 0; a < axes.length && !edge; a++) edge = changes(data, i, strides[axes[a]], shape[axes[a]]);
    weights[i] = classWeights[data[i]] + (edge ? edgeWeight : 0);
  }
  return { data: weights, shape };
}
