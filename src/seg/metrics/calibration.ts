/** @file Calibration of probabilities: whether what is predicted with a confidence of 0.8 is right in 8 of 10 voxels (Guo et al. 2017). */

import { expectOptions } from "../../host/options.ts";
import { expectArguments } from "../../host/kinds.ts";
import type { HostArray } from "../../host/array.ts";
import { ConfigError, DataError, ShapeError } from "../../host/errors.ts";
import { showShape } from "../../host/shape.ts";

/** Options of `calibrationError`. */
export interface CalibrationOptions {
  /** Equal parts of 0 … 1. Default 15. */
  readonly bins?: number;
  /** Label value of voxels that do not count. */
  readonly ignore?: number;
}

/** How confidence and accuracy differ. Lists are `[bins]`. */
export interface Calibration {
  /** Expected calibration error: mean of |accuracy − confidence| over the bins, weighted by their voxels. */
  readonly expected: number;
  /** The largest of them. */
  readonly maximum: number;
  /** Per bin: mean confidence, share of right voxels, voxels; NaN where a bin is empty. */
  readonly confidence: Float64Array;
  /** Share of right voxels, per bin. */
  readonly accuracy: Float64Array;
  /** Voxels, per bin. */
  readonly count: Float64Array;
}

/**
 * Calibration of the most probable class.
 * @param probabilities `[C, ...spatial]` that sum to 1 over the classes, or `[1, ...spatial]` of the foreground
 * @param labels class index of each voxel, `[1, ...spatial]`
 * @throws ShapeError, DataError for what is no probability or no class index, ConfigError
 */
export function calibrationError(probabilities: HostArray, labels: HostArray, options: CalibrationOptions = {}): Calibration {
  const op = "calibrationError";
  expectOptions(op, options, "bins:number ignore:number");
  expectArguments("calibrationError", "array", { probabilities, labels });
  const { bins = 15, ignore } = options;
  if (!(Number.isInteger(bins) && bins > 0)) throw new ConfigError(`${op}: bins is a number above 0, got ${bins}`);
  const [classes, ...space] = probabilities.shape;
  if (labels.shape.join() !== [1, ...space].join())
    throw new ShapeError(
      `${op}: labels are ${showShape([1, ...space])} for probabilities ${showShape(probabilities.shape)}, got ${showShape(labels.shape)}`,
    );
  const voxels = labels.data.length;
  const { data } = probabilities;
  const most = Math.max(1, classes - 1);
  const [sum, right, count] = [new Float64Array(bins), new Float64Array(bins), new Float64Array(bins)];
  for (let i = 0; i < voxels; i++) {
    if (labels.data[i] === ignore) continue;
    const label = labels.data[i];
    if (!(label >= 0 && label <= most && Number.isInteger(label)))
      throw new DataError(
        `${op}: the labels hold ${label} at voxel ${i}; expected class indices 0 … ${most}${ignore === undefined ? "; ignore leaves one out" : ` and ${ignore}`}`,
      );
    let [best, at] = [data[i], 0];
    // A NaN is no less than any, and nothing is more: it stays, for the check below.
    for (let c = 1; c < classes; c++) {
      const p = data[c * voxels + i];
      if (p > best || Number.isNaN(p)) [best, at] = [p, c];
    }
    if (classes === 1) [best, at] = best > 0.5 ? [best, 1] : [1 - best, 0];
    if (!(best >= 0 && best <= 1 + 1e-5))
      throw new DataError(`${op}: ${best} at voxel ${i} is no probability; give softmax or sigmoid of the scores`);
    const bin = Math.min(bins - 1, Math.max(0, Math.ceil(best * bins) - 1));
    sum[bin] += best;
    if (at === labels.data[i]) right[bin]++;
    count[bin]++;
  }
  const [confidence, accuracy] = [sum, right].map((of) => of.map((v, b) => v / count[b]));
  const all = count.reduce((s, n) => s + n, 0);
  let [expected, maximum] = [all > 0 ? 0 : NaN, all > 0 ? 0 : NaN];
  for (let b = 0; b < bins; b++) {
    if (count[b] === 0) continue;
    const gap = Math.abs(accuracy[b] - confidence[b]);
    expected += (gap * count[b]) / all;
    maximum = Math.max(maximum, gap);
  }
  return { expected, maximum, confidence, accuracy, count };
}
