/** @file What a case is worth labeling: the variance of repeated predictions and the distance of a label from a prediction, with MONAI's options. */

import { expectWord } from "../../host/words.ts";
import { expectOptions } from "../../host/options.ts";
import { expectArguments } from "../../host/kinds.ts";
import { sizeOf, type HostArray } from "../../host/array.ts";
import { ShapeError } from "../../host/errors.ts";
import { sameShape, showShape } from "../../host/shape.ts";

/** The array without its first channel, where it has several. */
function foreground({ data, shape }: HostArray): { data: Float64Array; shape: number[] } {
  const [n, c, ...rest] = shape;
  const inner = sizeOf(rest);
  const first = c > 1 ? 1 : 0;
  const out = new Float64Array(n * (c - first) * inner);
  for (let i = 0; i < n; i++) out.set(data.subarray((i * c + first) * inner, (i + 1) * c * inner), i * (c - first) * inner);
  return { data: out, shape: [n, c - first, ...rest] };
}

const scored = (a: HostArray, includeBackground: boolean): HostArray<Float64Array> =>
  includeBackground ? { data: Float64Array.from(a.data), shape: a.shape } : foreground(a);

/** Options of `computeVariance` and `VarianceMetric`. */
export interface VarianceOptions {
  /** Default true. */
  readonly includeBackground?: boolean;
  /** A variance per voxel in place of one number. Default false. */
  readonly spatialMap?: boolean;
  /** Default "mean". */
  readonly scalarReduction?: "mean" | "sum";
  /** Stands for what is not above 0. Default 0.0005. */
  readonly threshold?: number;
}

const varianceReductions = ["mean", "sum"];
const qualityReductions = [...varianceReductions, "none"];
const varianceNames = "includeBackground:boolean spatialMap:boolean scalarReduction threshold:number";
const qualityNames = "includeBackground:boolean scalarReduction";

/**
 * Variance over repeats and channels (MONAI `compute_variance`).
 * @param yPred predictions `[repeats, C, ...spatial]`
 * @returns `[]`, or `[...spatial]` with `spatialMap`
 * @throws ShapeError for a map without two spatial axes, ConfigError
 */
export function computeVariance(yPred: HostArray, options: VarianceOptions = {}): HostArray<Float64Array> {
  const op = "computeVariance";
  expectOptions(op, options, varianceNames);
  expectArguments("computeVariance", "array", { yPred });
  const { includeBackground = true, spatialMap = false, scalarReduction = "mean", threshold = 0.0005 } = options;
  expectWord(op, "scalarReduction", scalarReduction, varianceReductions);
  if (yPred.shape.length < 2 || (spatialMap && yPred.shape.length < 4))
    throw new ShapeError(
      `${op}: expected [repeats, C, ...spatial]${spatialMap ? " with two spatial axes or more" : ""}, got ${showShape(yPred.shape)}`,
    );
  const { data, shape } = scored(yPred, includeBackground);
  const rows = shape[0] * shape[1];
  const voxels = data.length / rows;
  const variance = new Float64Array(voxels);
  const mean = new Float64Array(voxels);
  for (let r = 0, i = 0; r < rows; r++) {
    for (let v = 0; v < voxels; v++, i++) {
      if (data[i] <= 0) data[i] = threshold;
      mean[v] += data[i] / rows;
    }
  }
  for (let r = 0, i = 0; r < rows; r++) for (let v = 0; v < voxels; v++, i++) variance[v] += (data[i] - mean[v]) ** 2 / rows;
  if (spatialMap) return { data: variance, shape: shape.slice(2) };
  const sum = variance.reduce((s, v) => s + v, 0);
  return { data: Float64Array.of(scalarReduction === "sum" ? sum : sum / voxels), shape: [] };
}

/** `computeVariance` with its options kept, and "sum" as its default (MONAI `VarianceMetric`). */
export class VarianceMetric {
  /** The options it was made with. */
  readonly options: VarianceOptions;

  constructor(options: VarianceOptions = {}) {
    expectOptions("VarianceMetric", options, varianceNames);
    expectWord("VarianceMetric", "scalarReduction", options.scalarReduction ?? "sum", varianceReductions);
    this.options = { scalarReduction: "sum", ...options };
  }

  /** `computeVariance` of `yPred`, of the shapes there. */
  run(yPred: HostArray): HostArray<Float64Array> {
    return computeVariance(yPred, this.options);
  }
}

/** Options of `computeLabelQuality`, `LabelQualityScore`. */
export interface LabelQualityOptions {
  /** Default true. */
  readonly includeBackground?: boolean;
  /** "none": a map. Default "mean". */
  readonly scalarReduction?: "mean" | "sum" | "none";
}

/**
 * |prediction − label| of each sample (MONAI `label_quality_score`).
 * @param yPred `[N, C, ...spatial]`
 * @param y of the same shape
 * @returns `[N]`, or a map of the shape of what is scored for "none"
 * @throws ShapeError, ConfigError
 */
export function computeLabelQuality(yPred: HostArray, y: HostArray, options: LabelQualityOptions = {}): HostArray<Float64Array> {
  const op = "computeLabelQuality";
  expectOptions(op, options, qualityNames);
  expectArguments("computeLabelQuality", "array", { yPred, y });
  const { includeBackground = true, scalarReduction = "mean" } = options;
  expectWord(op, "scalarReduction", scalarReduction, qualityReductions);
  if (!sameShape(yPred.shape, y.shape))
    throw new ShapeError(`${op}: yPred ${showShape(yPred.shape)} and y ${showShape(y.shape)} must have the same shape`);
  if (y.shape.length < 2 || (scalarReduction === "none" && y.shape.length < 4))
    throw new ShapeError(
      `${op}: expected [N, C, ...spatial], for a map with two spatial axes or more, got ${showShape(y.shape)}`,
    );
  const [p, t] = [scored(yPred, includeBackground), scored(y, includeBackground)];
  const difference = p.data.map((v, i) => Math.abs(v - t.data[i]));
  if (scalarReduction === "none") return { data: difference, shape: p.shape };
  const samples = p.shape[0];
  const size = difference.length / samples;
  const data = new Float64Array(samples);
  for (let i = 0; i < difference.length; i++) data[Math.floor(i / size)] += difference[i];
  return { data: scalarReduction === "sum" ? data : data.map((v) => v / size), shape: [samples] };
}

/** `computeLabelQuality` with its options kept, and "sum" as its default (MONAI `LabelQualityScore`). */
export class LabelQualityScore {
  /** The options it was made with. */
  readonly options: LabelQualityOptions;

  constructor(options: LabelQualityOptions = {}) {
    expectOptions("LabelQualityScore", options, qualityNames);
    expectWord("LabelQualityScore", "scalarReduction", options.scalarReduction ?? "sum", qualityReductions);
    this.options = { scalarReduction: "sum", ...options };
  }

  /** `computeLabelQuality` of `yPred` and `y`, of the shapes there. */
  run(yPred: HostArray, y: HostArray): HostArray<Float64Array> {
    return computeLabelQuality(yPred, y, this.options);
  }
}
