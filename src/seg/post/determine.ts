/** @file nnU-Net's decision whether keeping only the largest component helps, made on validation cases. */
import { expectArguments } from "../../host/kinds.ts";
import { expectOptions } from "../../host/options.ts";
import type { HostArray } from "../../host/array.ts";
import { nanMean } from "../../host/stats.ts";
import { ShapeError } from "../../host/errors.ts";
import { removeAllButLargestComponentFromSegmentation } from "./keep_largest.ts";

/** A predicted label map and the true one, of one shape. */
export interface PredictedCase {
  /** Predicted label values, of any shape. */
  readonly prediction: HostArray;
  /** True label values, of the same shape. */
  readonly truth: HostArray;
}

/** How `determinePostprocessing` counts. */
export interface DetermineOptions {
  /** Labels, or regions of several labels, in the order in which they are tried. */
  readonly labelsOrRegions: readonly (readonly number[])[];
  /** Truth value of voxels that do not count. */
  readonly ignore?: number | undefined;
  /** Called after each pass over the cases. `done` of `total`. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** What was decided, and what it does to the scores. */
export interface Determined {
  /** Foregrounds of which only the largest component stays, in order. */
  readonly keepLargest: readonly (readonly number[])[];
  /** Mean Dice of each label or region before; NaN where no case has any. */
  readonly before: readonly number[];
  /** The same with these components only. */
  readonly after: readonly number[];
}

/**
 * First all labels together: kept if the mean Dice rises and that of no label or region falls. Then each label or region by itself, if there are
 * several: kept if its own mean Dice rises. Dice is that of nnU-Net: 0 where something is predicted that is not there, NaN, and not counted, where
 * neither has anything. `index` is from 0.
 * @param count of the cases
 * @param read case by number; is called again for each pass, of which there are up to two and one per label or region
 * @throws ShapeError if a prediction has another shape than its truth
 */
export async function determinePostprocessing(
  count: number,
  read: (index: number) => Promise<PredictedCase>,
  options: DetermineOptions,
): Promise<Determined> {
  expectOptions("determinePostprocessing", options, "labelsOrRegions:list! ignore onProgress");
  expectArguments("determinePostprocessing", "number", { count });
  expectArguments("determinePostprocessing", "function", { read });
  const { labelsOrRegions, ignore, onProgress } = options;
  const passes = 2 + (labelsOrRegions.length > 1 ? labelsOrRegions.length : 0);
  let pass = 0;
  const meansAfter = async (foregrounds: readonly (readonly number[])[]): Promise<number[]> => {
    const scores: number[][] = [];
    for (let i = 0; i < count; i++) {
      const { prediction, truth } = await read(i);
      const cleaned = foregrounds.reduce<HostArray>((map, f) => removeAllButLargestComponentFromSegmentation(map, f), prediction);
      scores.push(labelsOrRegions.map((labels) => diceOf(cleaned, truth, labels, ignore)));
    }
    onProgress?.(++pass, passes);
    return labelsOrRegions.map((_, c) => nanMean(scores.map((s) => s[c])));
  };
  const before = await meansAfter([]);
  const all = [...new Set(labelsOrRegions.flat())];
  let keepLargest: (readonly number[])[] = [];
  let now = before;
  const together = await meansAfter([all]);
  // NaN is no fall: no case has that label.
  if (nanMean(together) > nanMean(before) && !together.some((d, c) => d < before[c])) [keepLargest, now] = [[all], together];
  if (labelsOrRegions.length > 1) {
    for (const [c, labels] of labelsOrRegions.entries()) {
      const alone = await meansAfter([...keepLargest, labels]);
      if (alone[c] > now[c]) [keepLargest, now] = [[...keepLargest, labels], alone];
    }
  }
  return { keepLargest, before, after: now };
}

function diceOf(prediction: HostArray, truth: HostArray, labels: readonly number[], ignore: number | undefined): number {
  if (prediction.shape.join() !== truth.shape.join())
    throw new ShapeError(`determinePostprocessing: a prediction has the shape [${prediction.shape}], its truth [${truth.shape}]`);
  const inside = new Set(labels);
  let both = 0;
  let sum = 0;
  for (let i = 0; i < truth.data.length; i++) {
    const [p, t] = [prediction.data[i], truth.data[i]];
    if ((p === 0 && t === 0) || t === ignore) continue; // most voxels; 0 is the background
    const [inP, inT] = [Number(inside.has(p)), Number(inside.has(t))];
    both += inP & inT;
    sum += inP + inT;
  }
  return sum === 0 ? NaN : (2 * both) / sum;
}
