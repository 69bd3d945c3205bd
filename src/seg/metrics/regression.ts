/** @file Metrics of images as numbers: squared and absolute errors and the peak signal-to-noise ratio, with MONAI's options. */

import { expectArguments } from "../../host/kinds.ts";
import type { HostArray } from "../../host/array.ts";
import { ConfigError, ShapeError } from "../../host/errors.ts";
import { sameShape, showShape } from "../../host/shape.ts";
import { CumulativeMetric, type ReductionOptions } from "./cumulative.ts";
import { expectNames } from "../../host/options.ts";

/** Throws `ShapeError` unless both have one shape of at least two axes. */
export function expectImages(op: string, yPred: HostArray, y: HostArray): void {
  if (!sameShape(yPred.shape, y.shape))
    throw new ShapeError(`${op}: yPred ${showShape(yPred.shape)} and y ${showShape(y.shape)} must have the same shape`);
  if (y.shape.length < 2)
    throw new ShapeError(`${op}: expected a batch [N, …] with channels or space, got ${showShape(y.shape)}`);
}

/** The mean of |y − ŷ|ᵖ of each sample, `[N, 1]`. */
function meanErrors(op: string, yPred: HostArray, y: HostArray, power: 1 | 2): HostArray<Float64Array> {
  expectImages(op, yPred, y);
  const samples = y.shape[0];
  const size = y.data.length / samples;
  const data = new Float64Array(samples);
  for (let s = 0; s < samples; s++) {
    let sum = 0;
    for (let i = s * size; i < (s + 1) * size; i++) {
      const d = y.data[i] - yPred.data[i];
      sum += power === 2 ? d * d : Math.abs(d);
    }
    data[s] = sum / size;
  }
  return { data, shape: [samples, 1] };
}

/** What the metrics of errors have in common. */
export abstract class ErrorMetric<O extends ReductionOptions> extends CumulativeMetric<O> {
  /** @param known names of the options */
  constructor(options: O, known: readonly string[] = []) {
    super(options);
    expectArguments(this.constructor.name, "texts", { known });
    expectNames(this.constructor.name, options, ["reduction", ...known]);
  }
}

/** Mean squared error of each sample over a data set (MONAI `MSEMetric`). */
export class MSEMetric extends ErrorMetric<ReductionOptions> {
  constructor(options: ReductionOptions = {}) {
    super(options);
  }

  protected override compute(yPred: HostArray, y: HostArray): HostArray<Float64Array> {
    return meanErrors("MSEMetric", yPred, y, 2);
  }
}

/** Mean absolute error of each sample over a data set (MONAI `MAEMetric`). */
export class MAEMetric extends ErrorMetric<ReductionOptions> {
  constructor(options: ReductionOptions = {}) {
    super(options);
  }

  protected override compute(yPred: HostArray, y: HostArray): HostArray<Float64Array> {
    return meanErrors("MAEMetric", yPred, y, 1);
  }
}

/** Root of the mean squared error of each sample over a data set (MONAI `RMSEMetric`). */
export class RMSEMetric extends ErrorMetric<ReductionOptions> {
  constructor(options: ReductionOptions = {}) {
    super(options);
  }

  protected override compute(yPred: HostArray, y: HostArray): HostArray<Float64Array> {
    const { data, shape } = meanErrors("RMSEMetric", yPred, y, 2);
    return { data: data.map(Math.sqrt), shape };
  }
}

/** Options of `PSNRMetric`. */
export interface PSNROptions extends ReductionOptions {
  /** The range of the images, such as 255. */
  readonly maxVal: number;
}

/** Peak signal-to-noise ratio 20·log10(max) − 10·log10(MSE) of each sample over a data set (MONAI `PSNRMetric`). */
export class PSNRMetric extends ErrorMetric<PSNROptions> {
  constructor(options: PSNROptions) {
    super(options, ["maxVal"]);
    if (!(options.maxVal > 0)) throw new ConfigError(`PSNRMetric: maxVal is a number above 0, got ${options.maxVal}`);
  }

  protected override compute(yPred: HostArray, y: HostArray): HostArray<Float64Array> {
    const { data, shape } = meanErrors("PSNRMetric", yPred, y, 2);
    const peak = 20 * Math.log10(this.options.maxVal);
    return { data: data.map((mse) => peak - 10 * Math.log10(mse)), shape };
  }
}
