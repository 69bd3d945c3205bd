/** @file Dice of masks, per sample and class and over a data set, with MONAI's options. Empty labels follow MONAI: NaN when ignored. */

import { argmaxPlanes } from "../../host/argmax.ts";
import type { HostArray } from "../../host/array.ts";
import { ConfigError } from "../../host/errors.ts";
import { CumulativeMetric, type ReductionOptions } from "./cumulative.ts";
import { expectOptions } from "../../host/options.ts";
import { countOverlap, type OverlapOptions, overlapNames, scoreCounts } from "./overlap.ts";
import { type Aggregate, expectMetricReduction, type MetricReduction, reduceMetric } from "./reduction.ts";

/**
 * Dice scores `2|P∩Y| / (|P|+|Y|)` per sample and class (MONAI `compute_dice`).
 * @param yPred masks [N, C, ...spatial], or class indices [N, 1, ...spatial] with `numClasses`
 * @param y label masks of the same shape, or class indices [N, 1, ...spatial]
 * @returns [N, classes], without class 0 if `includeBackground` is false
 * @throws ShapeError when shapes do not agree, DataError when an input is not a mask
 */
export function computeDice(yPred: HostArray, y: HostArray, options: OverlapOptions = {}): HostArray<Float64Array> {
  expectOptions("computeDice", options, overlapNames);
  return dice("computeDice", yPred, y, options);
}

function dice(op: string, yPred: HostArray, y: HostArray, options: OverlapOptions): HostArray<Float64Array> {
  const { ignoreEmpty = true } = options;
  return scoreCounts(countOverlap(op, yPred, y, options), (both, pred, label) => {
    if (label > 0) return (2 * both) / (pred + label);
    if (ignoreEmpty) return NaN;
    return pred > 0 ? 0 : 1;
  });
}

/** Options of `MeanIoU`. */
export interface MetricOptions extends OverlapOptions, ReductionOptions {}

/** Options of `DiceMetric`. */
export interface DiceMetricOptions extends MetricOptions {
  /** `labeled` names its classes by these, or `label_0`, `label_1` … for true. */
  readonly returnWithLabel?: boolean | readonly string[];
}

/** Mean Dice over a data set (MONAI `DiceMetric`): `append` every batch, then `aggregate`. */
export class DiceMetric extends CumulativeMetric<DiceMetricOptions> {
  constructor(options: DiceMetricOptions = {}) {
    expectOptions("DiceMetric", options, `${overlapNames} reduction returnWithLabel`);
    super(options);
  }

  protected override compute(yPred: HostArray, y: HostArray): HostArray<Float64Array> {
    return dice("DiceMetric", yPred, y, this.options);
  }

  /**
   * Mean Dice of each class under its name, as `returnWithLabel` asks; without names `label_0` or, where the background is left out, `label_1` is the first.
   * MONAI rounds these to four digits; they are whole here.
   * @throws ConfigError if there are not as many names as classes
   */
  labeled(): Record<string, number> {
    const { returnWithLabel = true, includeBackground = true } = this.options;
    const { data } = this.aggregate("mean_batch").value;
    if (typeof returnWithLabel === "object" && returnWithLabel.length !== data.length)
      throw new ConfigError(`DiceMetric: returnWithLabel has ${returnWithLabel.length} names for ${data.length} classes`);
    const first = includeBackground ? 0 : 1;
    const name = (i: number): string => (typeof returnWithLabel === "object" ? returnWithLabel[i] : `label_${i + first}`);
    return Object.fromEntries(Array.from(data, (v, i) => [name(i), v]));
  }

  /** @deprecated The name of `labeled` in 0.1.0. Throws as that does. */
  labelled(): Record<string, number> {
    return this.labeled();
  }
}

/** Options of `DiceHelper`. */
export interface DiceHelperOptions extends Omit<OverlapOptions, "strict"> {
  /** Threshold `yPred` at ½. Default false. */
  readonly threshold?: boolean;
  /** Take the class of the largest score, if `yPred` has several channels. Default: not `threshold`. */
  readonly applyArgmax?: boolean;
  /** Sigmoid before the threshold. Default false. */
  readonly activate?: boolean;
  /** Default "mean_batch". */
  readonly reduction?: MetricReduction;
  /** Default: whether `threshold` is set. */
  readonly includeBackground?: boolean;
}

/** Dice of a network's scores in one call (MONAI `DiceHelper`): argmax or threshold, Dice, reduction. */
export class DiceHelper {
  /** The options it was made with. */
  readonly options: DiceHelperOptions;

  constructor(options: DiceHelperOptions = {}) {
    expectOptions(
      "DiceHelper",
      options,
      "includeBackground:boolean ignoreEmpty:boolean numClasses:number threshold:boolean applyArgmax:boolean activate:boolean reduction",
    );
    if (options.reduction !== undefined) expectMetricReduction("DiceHelper", options.reduction);
    this.options = options;
  }

  /** @param yPred scores, masks or class indices `[N, C or 1, ...spatial]`. @throws ShapeError, DataError */
  run(yPred: HostArray, y: HostArray): Aggregate {
    const { threshold = false, applyArgmax = !threshold, activate = false, reduction = "mean_batch", ...rest } = this.options;
    const numClasses = rest.numClasses ?? yPred.shape[1];
    const indices = rest.numClasses !== undefined && yPred.shape[1] === 1 && numClasses > 1;
    let pred = yPred;
    if (!indices && applyArgmax && numClasses > 1) pred = argmaxChannels(yPred);
    else if (!indices && threshold) pred = thresholded(yPred, activate ? 0 : 0.5);
    // Without either, MONAI counts what is not 0.
    const options = { includeBackground: threshold, ...rest, numClasses, strict: false };
    return reduceMetric(dice("DiceHelper", pred, y, options), reduction);
  }
}

/** The sigmoid of x is above ½ where x is above 0. */
function thresholded({ data, shape }: HostArray, threshold: number): HostArray {
  const mask = new Uint8Array(data.length);
  for (let i = 0; i < mask.length; i++) mask[i] = data[i] > threshold ? 1 : 0;
  return { data: mask, shape };
}

function argmaxChannels({ data, shape }: HostArray): HostArray {
  const [samples, channels, ...spatial] = shape;
  const voxels = data.length / (samples * channels);
  const out = new Int32Array(samples * voxels);
  for (let s = 0; s < samples; s++) {
    const scores = data.subarray(s * channels * voxels, (s + 1) * channels * voxels);
    argmaxPlanes(scores, channels, out.subarray(s * voxels, (s + 1) * voxels));
  }
  return { data: out, shape: [samples, 1, ...spatial] };
}
