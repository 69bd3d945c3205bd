/**
 * @file Overlap of masks: voxels of each sample and class that two masks share, counted as integers, so that scores are exact. Masks, never
 * probabilities: a soft input is rejected, because it would give a plausible wrong score.
 */

import { expectArguments } from "../../host/kinds.ts";
import { DataError, ShapeError } from "../../host/errors.ts";
import { expectIntegers } from "../../host/integers.ts";
import type { HostArray, TypedArray } from "../../host/array.ts";

/** Options of `computeDice`, `computeIou`. */
export interface OverlapOptions {
  /** Score class 0 too. Ignored for single-channel (binary) masks. Default true. */
  readonly includeBackground?: boolean;
  /** Score an empty label as NaN (left out of means). Otherwise 1 if the prediction is empty too, else 0. Default true. */
  readonly ignoreEmpty?: boolean;
  /** Number of classes including background, needed when `yPred` holds class indices (one channel). Default: channels of `yPred`. */
  readonly numClasses?: number;
  /** Reject values other than 0 and 1 (or a class index). `false` counts any non-zero as true, as MONAI does. Default true. */
  readonly strict?: boolean;
}

/** Names of `OverlapOptions`. */
export const overlapNames = "includeBackground:boolean ignoreEmpty:boolean numClasses:number strict:boolean";

/** Integer counts per (sample, class), flat in that order. */
export interface OverlapCounts {
  readonly samples: number;
  readonly classes: number;
  /** Voxels of a sample. */
  readonly voxels: number;
  readonly both: Float64Array;
  readonly pred: Float64Array;
  readonly label: Float64Array;
}

type CountOptions = Omit<OverlapOptions, "ignoreEmpty">;

/**
 * Voxels of prediction, label and both.
 * @param yPred masks [N, C, ...spatial], or class indices [N, 1, ...spatial] with `numClasses`
 * @param y label masks of the same shape, or class indices [N, 1, ...spatial]
 * @throws ShapeError when shapes do not agree, DataError when an input is not a mask
 */
export function countOverlap(op: string, yPred: HostArray, y: HostArray, options: CountOptions = {}): OverlapCounts {
  expectArguments(op, "array", { yPred, y });
  const { includeBackground = true, strict = true } = options;
  checkShapes(op, yPred, y);
  const [samples, predChannels] = yPred.shape;
  const n = options.numClasses ?? predChannels;
  expectIntegers(op, { numClasses: n }, 1);
  for (const [name, a] of [["yPred", yPred] as const, ["y", y] as const]) {
    if (a.shape[1] !== 1 && a.shape[1] !== n)
      throw new ShapeError(`${op}: ${name} has ${a.shape[1]} channels; expected ${n} (one per class) or 1 (class indices)`);
    if (strict) checkMask(op, name, a, n);
  }
  const first = n === 1 || includeBackground ? 0 : 1;
  const classes = n - first;
  const voxels = yPred.data.length / (samples * predChannels);
  const size = samples * classes;
  const counts: OverlapCounts = {
    samples,
    classes,
    voxels,
    both: new Float64Array(size),
    pred: new Float64Array(size),
    label: new Float64Array(size),
  };
  for (let s = 0; s < samples; s++) {
    for (let k = 0; k < classes; k++) {
      const c = n === 1 ? 1 : first + k; // a single channel is a binary mask: class 1 of an index map
      countClass(channel(yPred, s, c, voxels), channel(y, s, c, voxels), counts, s * classes + k);
    }
  }
  return counts;
}

/** The voxels that decide a class: its own channel, or the index map where there is only one. */
interface Channel {
  readonly data: TypedArray;
  /** The index that is the class; undefined for a mask. */
  readonly index: number | undefined;
}

function channel(a: HostArray, sample: number, c: number, voxels: number): Channel {
  const index = a.shape[1] === 1;
  const start = index ? sample * voxels : (sample * a.shape[1] + c) * voxels;
  return { data: a.data.subarray(start, start + voxels), index: index ? c : undefined };
}

function countClass(p: Channel, t: Channel, counts: OverlapCounts, at: number): void {
  let [both, pred, label] = [0, 0, 0];
  const [predMask, labelMask] = [p.index === undefined, t.index === undefined];
  for (let i = 0; i < p.data.length; i++) {
    const inPred = predMask ? p.data[i] !== 0 : p.data[i] === p.index;
    const inLabel = labelMask ? t.data[i] !== 0 : t.data[i] === t.index;
    if (inPred) pred++;
    if (inLabel) label++;
    if (inPred && inLabel) both++;
  }
  counts.both[at] = both;
  counts.pred[at] = pred;
  counts.label[at] = label;
}

function checkShapes(op: string, yPred: HostArray, y: HostArray): void {
  const [p, t] = [yPred.shape, y.shape];
  if (p.length < 3)
    throw new ShapeError(`${op}: yPred has shape [${p}]; expected [N, C, ...spatial] with at least one spatial axis`);
  if (p.length !== t.length || p.some((d, i) => i !== 1 && d !== t[i]))
    throw new ShapeError(`${op}: yPred is [${p}] but y is [${t}]; all axes but the channels must agree`);
}

function checkMask(op: string, name: string, a: HostArray, numClasses: number): void {
  const indices = a.shape[1] === 1 && numClasses > 1;
  const top = indices ? numClasses - 1 : 1;
  const bad = firstBad(a.data, top);
  if (bad < 0) return;
  const wanted = indices ? `class indices 0…${top}` : "a mask of 0 and 1";
  const hint = indices
    ? "Check numClasses and the label values."
    : "Threshold or argmax the network's output first; pass class indices as [N, 1, ...spatial] with numClasses.";
  throw new DataError(`${op}: ${name} holds ${a.data[bad]} at flat index ${bad}; expected ${wanted}. ${hint}`);
}

/** Index of the first value that is no integer from 0 to `top`, or −1. */
function firstBad(data: TypedArray, top: number): number {
  for (let i = 0; i < data.length; i++) {
    const v = data[i];
    if (v === 0 || v === 1) continue;
    if (!(Number.isInteger(v) && v >= 0 && v <= top)) return i;
  }
  return -1;
}

/** A score of each sample and class from its counts. */
export function scoreCounts(
  c: OverlapCounts,
  rule: (both: number, pred: number, label: number) => number,
): HostArray<Float64Array> {
  return { data: c.both.map((both, i) => rule(both, c.pred[i], c.label[i])), shape: [c.samples, c.classes] };
}
