/** @file Lists of the voxels of foreground, background and classes: `mapBinaryToIndices`, `mapClassesToIndices`. */
import { expectArguments } from "../../../host/kinds.ts";
import { ConfigError, ShapeError } from "../../../host/errors.ts";
import { sizeOf, type HostArray, type TypedArray } from "../../../host/array.ts";
import { blockSize, inBlocks } from "../../../host/blocks.ts";
import { roundHalfEven } from "../../../host/rounding.ts";
import { spatialShape } from "../../../host/strided.ts";
import { unfilledLike } from "../../../host/unfilled.ts";

/**
 * Flat indices of foreground and background voxels of a label map `[C, …]`. Background counts only where `image` (any channel) exceeds the threshold.
 * `imageThreshold` is 0 by default. Gives `fg` and `bg`, rising.
 */
export function mapBinaryToIndices(
  label: HostArray,
  image?: HostArray,
  imageThreshold = 0,
): { fg: Uint32Array; bg: Uint32Array } {
  const { marks, valid } = marksOf("mapBinaryToIndices", label, image, imageThreshold);
  const voxels = marks.length;
  if (valid) return { fg: where(marks, 1), bg: where(marks, 2) };
  // Each voxel is one or the other.
  let count = 0;
  inBlocks(voxels, (start, end) => (count += countIn(marks, 1, start, end)));
  const [fg, bg] = [count, voxels - count].map((n) => unfilledLike(new Uint32Array(), n + 1));
  let at = 0;
  inBlocks(voxels, (start, end) => (at = writeBoth(marks, start, end, fg, at, bg)));
  return { fg: fg.subarray(0, count), bg: bg.subarray(0, voxels - count) };
}

/** 1 for foreground, 2 for background, 0 for background that does not count, of which there is none unless `valid`. */
function marksOf(
  op: string,
  label: HostArray,
  image: HostArray | undefined,
  imageThreshold: number,
): { readonly marks: Uint8Array; readonly valid: boolean } {
  const voxels = sizeOf(spatialShape(op, label));
  const valid = maskOf(op, voxels, image, imageThreshold);
  const marks = new Uint8Array(voxels).fill(2);
  // One-hot: channel 0 is background.
  for (let c = label.shape[0] > 1 ? 1 : 0; c < label.shape[0]; c++) {
    const from = c * voxels;
    inBlocks(voxels, (start, end) => markForeground(label.data, from, marks, start, end));
  }
  if (valid) for (let i = 0; i < voxels; i++) if (marks[i] === 2 && valid[i] === 0) marks[i] = 0;
  return { marks, valid: valid !== undefined };
}

/** Voxels of one kind, of which few are asked for: how many there are, and the flat index of the k-th. */
export interface Voxels {
  readonly length: number;
  at(k: number): number;
}

/** The voxels of `mapBinaryToIndices`, without lists of them. */
export function binaryVoxels(label: HostArray, image?: HostArray, imageThreshold = 0): { fg: Voxels; bg: Voxels } {
  const op = "mapBinaryToIndices";
  if (image || label.shape[0] !== 1) {
    const { marks } = marksOf(op, label, image, imageThreshold);
    return { fg: voxelsOf(marks, countsOf(marks, 1), (v) => v === 1), bg: voxelsOf(marks, countsOf(marks, 2), (v) => v === 2) };
  }
  spatialShape(op, label);
  const { data } = label;
  const zeros = countsOf(data, 0);
  const others = zeros.map((n, b) => Math.min(blockSize, data.length - b * blockSize) - n);
  return { fg: voxelsOf(data, others, (v) => v !== 0), bg: voxelsOf(data, zeros, (v) => v === 0) };
}

/** How many elements of each block have a value. */
function countsOf(data: TypedArray, value: number): Uint32Array {
  const counts = new Uint32Array(Math.ceil(data.length / blockSize));
  inBlocks(data.length, (start, end) => void (counts[start / blockSize] = countIn(data, value, start, end)));
  return counts;
}

/** @param counts of each block */
function voxelsOf(data: TypedArray, counts: Uint32Array, is: (v: number) => boolean): Voxels {
  return {
    length: counts.reduce((a, b) => a + b, 0),
    at(k) {
      let left = k;
      let block = 0;
      while (left >= counts[block]) left -= counts[block++];
      let i = block * blockSize;
      while (!is(data[i]) || left-- > 0) i++;
      return i;
    },
  };
}

/** Indices of 1 and of others; an index is written before it is known whether it counts. */
function writeBoth(marks: Uint8Array, start: number, end: number, ones: Uint32Array, at: number, others: Uint32Array): number {
  let to = at;
  for (let i = start; i < end; i++) {
    ones[to] = i;
    others[i - to] = i;
    to += Number(marks[i] === 1);
  }
  return to;
}

/**
 * Flat indices of the voxels of each class of a label map `[C, …]`, of classes or one-hot, only where `image` (any channel) exceeds the threshold; at most
 * `maxSamplesPerClass`, evenly spread.
 * @throws ConfigError without numClasses for a map of one channel
 * @param imageThreshold default 0
 */
export function mapClassesToIndices(
  label: HostArray,
  numClasses?: number,
  image?: HostArray,
  imageThreshold = 0,
  maxSamplesPerClass?: number,
): Uint32Array[] {
  const op = "mapClassesToIndices";
  const voxels = sizeOf(spatialShape(op, label));
  const channels = label.shape[0];
  const classes = channels > 1 ? channels : numClasses;
  if (classes === undefined)
    throw new ConfigError("mapClassesToIndices: the label map has one channel, so it is not one-hot; give numClasses");
  const valid = maskOf(op, voxels, image, imageThreshold);
  const lists = channels > 1 ? oneHotLists(label, voxels, valid) : numberLists(label, classes, valid);
  return lists.map((list) => thinned(list, maxSamplesPerClass));
}

function oneHotLists(label: HostArray, voxels: number, valid: Uint8Array | undefined): Uint32Array[] {
  return Array.from({ length: label.shape[0] }, (_, c) => {
    const marks = new Uint8Array(voxels);
    const from = c * voxels;
    for (let i = 0; i < voxels; i++) if (label.data[from + i] !== 0 && (!valid || valid[i] !== 0)) marks[i] = 1;
    return where(marks, 1);
  });
}

/** Counts first, so that large volumes take 4 bytes per entry. A class outside the range is ignored. */
function numberLists({ data }: HostArray, classes: number, valid: Uint8Array | undefined): Uint32Array[] {
  const counts = new Uint32Array(classes);
  for (let i = 0; i < data.length; i++) if ((!valid || valid[i] !== 0) && data[i] in counts) counts[data[i]]++;
  const out = Array.from(counts, (n) => new Uint32Array(n));
  counts.fill(0);
  for (let i = 0; i < data.length; i++) {
    const c = data[i];
    if ((!valid || valid[i] !== 0) && c in counts) out[c][counts[c]++] = i;
  }
  return out;
}

function thinned(list: Uint32Array, most: number | undefined): Uint32Array {
  if (!most || list.length <= most || list.length <= 1) return list;
  return Uint32Array.from({ length: most }, (_, k) =>
    most === 1 ? list[0] : list[roundHalfEven(k * ((list.length - 1) / (most - 1)))],
  );
}

/** 2 becomes 1 where the label is not 0. Chosen by numbers: on labels that change often a branch is guessed wrong. */
function markForeground(label: TypedArray, from: number, list: Uint8Array, start: number, end: number): void {
  for (let i = start; i < end; i++) list[i] = Math.min(list[i], 2 - Number(label[from + i] !== 0));
}

function where(marks: Uint8Array, value: number): Uint32Array {
  let count = 0;
  inBlocks(marks.length, (start, end) => (count += countIn(marks, value, start, end)));
  // One more than there are: an index is written before it is known whether it counts.
  const out = unfilledLike(new Uint32Array(), count + 1);
  let at = 0;
  inBlocks(marks.length, (start, end) => (at = writeIndices(marks, value, start, end, out, at)));
  return out.subarray(0, count);
}

function countIn(marks: TypedArray, value: number, start: number, end: number): number {
  let count = 0;
  for (let i = start; i < end; i++) count += Number(marks[i] === value);
  return count;
}

function writeIndices(marks: Uint8Array, value: number, start: number, end: number, out: Uint32Array, at: number): number {
  let to = at;
  for (let i = start; i < end; i++) {
    out[to] = i;
    to += Number(marks[i] === value);
  }
  return to;
}

/** Marks where any channel of the image exceeds the threshold; undefined without an image. */
function maskOf(op: string, voxels: number, image: HostArray | undefined, threshold: number): Uint8Array | undefined {
  if (!image) return undefined;
  expectArguments(op, "array", { image });
  if (image.data.length !== voxels * image.shape[0]) {
    throw new ShapeError(
      `${op}: image [${image.shape.join(", ")}] and label differ in spatial size (${voxels} voxels); crop both alike before this`,
    );
  }
  const marks = new Uint8Array(voxels);
  for (let c = 0; c < image.shape[0]; c++) {
    const from = c * voxels;
    for (let i = 0; i < voxels; i++) if (image.data[from + i] > threshold) marks[i] = 1;
  }
  return marks;
}
