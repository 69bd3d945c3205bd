/** @file QuickNAT's preparation of volumes: slices along three views, and weights against rare classes and blurred borders. */

import { ConfigError, DataError, ShapeError } from "../host/errors.ts";
import { type HostArray, sizeOf, type TypedArray } from "../host/array.ts";
import { stridesOf } from "../host/shape.ts";

/** Coronal, axial and sagittal slices. */
export type Orientation = "COR" | "AXI" | "SAG";

/** For each view the axes of the volume that become slice, row and column. */
const AXES: Readonly<Record<Orientation, readonly [number, number, number]>> = {
  COR: [2, 0, 1],
  AXI: [1, 2, 0],
  SAG: [0, 1, 2],
};

/** The axes of a volume `[X, Y, Z]` that are slice, row and column in a view. Throws `ConfigError` for an unknown one. */
export function orientationAxes(orientation: Orientation): readonly [number, number, number] {
  const axes = Object.hasOwn(AXES, orientation) ? AXES[orientation] : undefined;
  if (!axes) throw new ConfigError(`orientation must be "COR", "AXI" or "SAG", got ${JSON.stringify(orientation)}`);
  return axes;
}

/**
 * A volume `[X, Y, Z]`, as FreeSurfer's conform writes it, as a stack of slices `[slice, row, column]` of a view.
 * @throws ShapeError, ConfigError for an unknown view
 */
export function rotateOrientation<A extends TypedArray>(volume: HostArray<A>, orientation: Orientation): HostArray<A> {
  const axes = orientationAxes(orientation);
  if (volume.shape.length !== 3) throw new ShapeError(`rotateOrientation: the volume is [${volume.shape}]; expected [X, Y, Z].`);
  const strides = stridesOf(volume.shape);
  const shape = axes.map((a) => volume.shape[a]);
  const [s0, s1, s2] = axes.map((a) => strides[a]);
  const data = new (volume.data.constructor as new (n: number) => A)(sizeOf(shape));
  let at = 0;
  for (let i = 0; i < shape[0]; i++)
    for (let j = 0; j < shape[1]; j++) for (let k = 0; k < shape[2]; k++) data[at++] = volume.data[i * s0 + j * s1 + k * s2];
  return { data, shape };
}

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

export interface LabelWeights {
  /** Weight of each voxel, the shape of the labels: of its class, plus `edgeWeight` at borders. */
  readonly weights: HostArray<Float32Array>;
  /** `[numClasses]`; 0 for classes that do not occur. */
  readonly classWeights: HostArray<Float32Array>;
}

/** The median of counts, of an even number the mean of the two in the middle. */
function median(counts: readonly number[]): number {
  const sorted = counts.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
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
  const op = "medianFrequencyWeights";
  const { numClasses = 33, edgeWeight = 2 } = options;
  const compat = options.compat === "quicknat";
  const { data, shape } = labels;
  if (shape.length !== 2 && shape.length !== 3) {
    throw new ShapeError(`${op}: the labels are [${shape}]; expected a stack of slices [S, H, W] or a slice [H, W].`);
  }
  if (compat && shape.some((n) => n < 2)) {
    throw new ShapeError(`${op}: the original's gradient needs 2 labels along each axis, got [${shape}].`);
  }
  const counts = new Float64Array(numClasses);
  for (const v of data) {
    if (!(Number.isInteger(v) && v >= 0 && v < numClasses)) {
      throw new DataError(`${op}: the labels hold ${v}; expected class indices 0 … ${numClasses - 1}. Map the labels first.`);
    }
    counts[v]++;
  }
  const middle = median(Array.from(counts).filter((n) => n > 0));
  const classWeights = Float32Array.from(counts, (n) => (n === 0 ? 0 : compat ? Math.floor(middle / n) : middle / n));
  const strides = stridesOf(shape);
  const axes = compat ? [0, 1] : [shape.length - 2, shape.length - 1];
  const weights = Float32Array.from(data, (v, i) => {
    const edge = axes.some((axis) => changes(data, i, strides[axis], shape[axis]));
    return classWeights[v] + (edge ? edgeWeight : 0);
  });
  return { weights: { data: weights, shape }, classWeights: { data: classWeights, shape: [numClasses] } };
}
