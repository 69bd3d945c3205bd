/** @file Intersection over union of masks, per sample and class and over a data set, with MONAI's options. */

import type { HostArray } from "../../host/array.ts";
import { CumulativeMetric } from "./cumulative.ts";
import type { MetricOptions } from "./mean_dice.ts";
import { expectOptions } from "../../host/options.ts";
import { countOverlap, type OverlapOptions, overlapNames, scoreCounts } from "./overlap.ts";

/** Intersection over union `|P∩Y| / |P∪Y|` per sample and class (MONAI `compute_iou`); shapes, arguments and errors as `computeDice`. */
export function computeIou(yPred: HostArray, y: HostArray, options: OverlapOptions = {}): HostArray<Float64Array> {
  expectOptions("computeIou", options, overlapNames);
  return iou("computeIou", yPred, y, options);
}

function iou(op: string, yPred: HostArray, y: HostArray, options: OverlapOptions): HostArray<Float64Array> {
  const { ignoreEmpty = true } = options;
  return scoreCounts(countOverlap(op, yPred, y, options), (both, pred, label) => {
    if (label === 0 && ignoreEmpty) return NaN;
    const union = pred + label - both;
    return union > 0 ? both / union : 1;
  });
}

/** Mean intersection over union over a data set (MONAI `MeanIoU`). */
export class MeanIoU extends CumulativeMetric<MetricOptions> {
  constructor(options: MetricOptions = {}) {
    expectOptions("MeanIoU", options, `${overlapNames} reduction`);
    super(options);
  }

  protected override compute(yPred: HostArray, y: HostArray): HostArray<Float64Array> {
    return iou("MeanIoU", yPred, y, this.options);
  }
}
