/** @file F-beta scores: precision and recall, recall counted β times as much; with MONAI's options. */

import { expectOptions } from "../../host/options.ts";
import type { HostArray } from "../../host/array.ts";
import { ConfigError } from "../../host/errors.ts";
import { type ConfusionMatrixOptions, confusionOf } from "./confusion_matrix.ts";
import { CumulativeMetric, type ReductionOptions } from "./cumulative.ts";
import { type Aggregate, type MetricReduction, reduceMetric } from "./reduction.ts";

/** Options of `FBetaScore`. */
export interface FBetaOptions extends ConfusionMatrixOptions, ReductionOptions {
  /** Default 1: as `f1`. */
  readonly beta?: number;
}

/** (1 + β²)·tp / ((1 + β²)·tp + β²·fn + fp) over a data set (MONAI `FBetaScore`): counts are reduced, then the score is taken of them; NaN for 0/0. */
export class FBetaScore extends CumulativeMetric<FBetaOptions> {
  constructor(options: FBetaOptions = {}) {
    expectOptions("FBetaScore", options, "beta:number includeBackground:boolean strict:boolean reduction");
    super(options);
    if (!((options.beta ?? 1) >= 0)) throw new ConfigError(`FBetaScore: beta is at least 0, got ${options.beta}`);
  }

  protected override compute(yPred: HostArray, y: HostArray): HostArray<Float64Array> {
    return confusionOf("FBetaScore", yPred, y, this.options);
  }

  override aggregate(reduction: MetricReduction = this.options.reduction ?? "mean"): Aggregate {
    const { value, notNans } = reduceMetric(this.scores(), reduction);
    const squared = (this.options.beta ?? 1) ** 2;
    const data = new Float64Array(value.data.length / 4);
    for (let i = 0; i < data.length; i++) {
      const hits = (1 + squared) * value.data[4 * i];
      const all = hits + squared * value.data[4 * i + 3] + value.data[4 * i + 1];
      data[i] = all === 0 ? NaN : hits / all;
    }
    return { value: { data, shape: value.shape.length > 1 ? value.shape.slice(0, -1) : [1] }, notNans };
  }
}
