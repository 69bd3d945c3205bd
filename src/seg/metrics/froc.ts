/** @file Detections against annotated lesions: which were hit, the free-response curve and its score (CAMELYON16, LUNA16), with MONAI's functions. */

import { expectArguments } from "../../host/kinds.ts";
import type { HostArray } from "../../host/array.ts";
import { DataError, ShapeError } from "../../host/errors.ts";
import { extent } from "../../host/stats.ts";
import { showShape } from "../../host/shape.ts";

/** Probabilities of detections, by whether they hit. */
export interface Detections {
  /** Of each detection that hit no lesion. */
  readonly fpProbs: number[];
  /** The largest of those that hit lesion 1, 2, …; 0 for one that was missed or is excluded. */
  readonly tpProbs: number[];
  /** Lesions that count. */
  readonly numTargets: number;
}

/**
 * Sorts detections into hits and false positives (MONAI `compute_fp_tp_probs_nd`). A detection hits the lesion in whose mask it lies.
 * @param probs probability of each detection
 * @param coords `[n, axes]` voxel of each
 * @param mask lesions numbered from 1, 0 outside
 * @param labelsToExclude lesions that do not count
 * @throws ShapeError, DataError if a detection lies outside the mask
 */
export function computeFpTpProbsNd(
  probs: ArrayLike<number>,
  coords: HostArray,
  mask: HostArray,
  labelsToExclude: readonly number[] = [],
): Detections {
  expectProbabilities("computeFpTpProbsNd", { probs });
  expectArguments("computeFpTpProbsNd", "array", { coords, mask });
  expectArguments("computeFpTpProbsNd", "numbers", { labelsToExclude });
  const op = "computeFpTpProbsNd";
  const { shape } = mask;
  if (coords.shape.length !== 2 || coords.shape[0] !== probs.length || coords.shape[1] !== shape.length)
    throw new ShapeError(
      `${op}: coords are [${probs.length}, ${shape.length}] for ${probs.length} detections in ${showShape(shape)}, got ${showShape(coords.shape)}`,
    );
  const lesions = Math.max(0, extent(mask.data).max);
  const tpProbs = new Array<number>(lesions).fill(0);
  const fpProbs: number[] = [];
  for (let d = 0; d < probs.length; d++) {
    let at = 0;
    for (let a = 0; a < shape.length; a++) {
      const c = coords.data[d * shape.length + a];
      const k = c < 0 ? c + shape[a] : c;
      if (!(Number.isInteger(k) && k >= 0 && k < shape[a]))
        throw new DataError(`${op}: detection ${d} is at ${c} on axis ${a} of ${showShape(shape)}`);
      at = at * shape[a] + k;
    }
    const hit = mask.data[at];
    if (hit === 0) fpProbs.push(probs[d]);
    else if (!labelsToExclude.includes(hit)) tpProbs[hit - 1] = Math.max(tpProbs[hit - 1], probs[d]);
  }
  return { fpProbs, tpProbs, numTargets: lesions - labelsToExclude.length };
}

/**
 * `computeFpTpProbsNd` of an image, by coordinates at full resolution (MONAI `compute_fp_tp_probs`).
 * @param mask `[Y, X]`
 * @param resolutionLevel the mask is smaller by 2 to the power of it. Default 0
 * @param probs how sure each detection is, 0 to 1; `yCoord` and `xCoord` say where it is, in pixels
 * @param labelsToExclude lesions that do not count. Default none
 */
export function computeFpTpProbs(
  probs: ArrayLike<number>,
  yCoord: ArrayLike<number>,
  xCoord: ArrayLike<number>,
  mask: HostArray,
  labelsToExclude: readonly number[] = [],
  resolutionLevel = 0,
): Detections {
  expectProbabilities("computeFpTpProbs", { probs, yCoord, xCoord });
  expectArguments("computeFpTpProbs", "number", { resolutionLevel });
  const coords = Float64Array.from({ length: 2 * yCoord.length }, (_, i) =>
    Math.trunc((i % 2 === 0 ? yCoord : xCoord)[i >> 1] / 2 ** resolutionLevel),
  );
  return computeFpTpProbsNd(probs, { data: coords, shape: [yCoord.length, 2] }, mask, labelsToExclude);
}

// Lists or typed arrays.
function expectProbabilities(op: string, values: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(values)) if (!Array.isArray(value)) expectArguments(op, "values", { [name]: value });
}

/** False positives per image and sensitivity at every threshold but the lowest, from low to high, and at last 0, 0. */
export interface FrocCurve {
  /** False positives per image at each threshold. */
  readonly fpsPerImage: number[];
  /** Share of the lesions found at each threshold. */
  readonly totalSensitivity: number[];
}

/**
 * The free-response curve of the detections of all images (MONAI `compute_froc_curve_data`). `fpProbs` are the probabilities of false detections, `tpProbs`
 * those of the lesions, of which there are `numTargets` in `numImages` images.
 */
export function computeFrocCurveData(
  fpProbs: ArrayLike<number>,
  tpProbs: ArrayLike<number>,
  numTargets: number,
  numImages: number,
): FrocCurve {
  expectProbabilities("computeFrocCurveData", { fpProbs, tpProbs });
  expectArguments("computeFrocCurveData", "number", { numTargets, numImages });
  const [fp, tp] = [Float64Array.from(fpProbs).sort(), Float64Array.from(tpProbs).sort()];
  const thresholds = [...new Set([...fp, ...tp])].sort((a, b) => a - b).slice(1);
  let [f, t] = [0, 0];
  const fpsPerImage: number[] = [];
  const totalSensitivity: number[] = [];
  for (const threshold of thresholds) {
    while (f < fp.length && fp[f] < threshold) f++;
    while (t < tp.length && tp[t] < threshold) t++;
    fpsPerImage.push((fp.length - f) / numImages);
    totalSensitivity.push((tp.length - t) / numTargets);
  }
  return { fpsPerImage: [...fpsPerImage, 0], totalSensitivity: [...totalSensitivity, 0] };
}

/**
 * The mean sensitivity at given false positives per image, between points of the curve in proportion (MONAI `compute_froc_score`). `fpsPerImage` and
 * `totalSensitivity` are those of a `FrocCurve`; `evalThresholds` are by default ¼, ½, 1, 2, 4 and 8.
 */
export function computeFrocScore(
  fpsPerImage: readonly number[],
  totalSensitivity: readonly number[],
  evalThresholds: readonly number[] = [0.25, 0.5, 1, 2, 4, 8],
): number {
  expectArguments("computeFrocScore", "numbers", { fpsPerImage, totalSensitivity, evalThresholds });
  const [x, y] = [[...fpsPerImage].reverse(), [...totalSensitivity].reverse()];
  const at = evalThresholds.map((value) => {
    let k = 0; // the last point that is not beyond it, as numpy.interp takes
    while (k + 1 < x.length && x[k + 1] <= value) k++;
    if (value <= x[0] && k === 0) return y[0];
    return k + 1 === x.length ? y[k] : y[k] + ((value - x[k]) / (x[k + 1] - x[k])) * (y[k + 1] - y[k]);
  });
  return at.reduce((s, v) => s + v, 0) / at.length;
}
