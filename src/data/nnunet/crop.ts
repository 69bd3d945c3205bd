/** @file nnU-Net's cropping: to the box of what is not zero in any channel, holes filled. Arrays are `[C, …spatial]`. */

import { expectArguments, expectKinds } from "../../host/kinds.ts";
import { expectOptions } from "../../host/options.ts";
import { type HostArray, sizeOf, type TypedArray } from "../../host/array.ts";
import { nativeOf } from "../../host/elements.ts";
import { ShapeError } from "../../host/errors.ts";
import { stridesOf } from "../../host/shape.ts";
import { copyView } from "../../host/strided.ts";

/** First and last + 1 position per spatial axis. */
export type BoundingBox = readonly (readonly [number, number])[];

/** Where any channel is not 0, and what such voxels enclose: 1, else 0; `[…spatial]`. @throws ShapeError without spatial axes */
export function createNonzeroMask(x: HostArray): HostArray<Uint8Array> {
  expectArguments("createNonzeroMask", "array", { x });
  const { data, shape } = x;
  const spatial = shape.slice(1);
  if (spatial.length === 0) throw new ShapeError(`createNonzeroMask: the image is [${shape}]; expected [C, ...spatial]`);
  const mask = new Uint8Array(sizeOf(spatial));
  for (let from = 0; from < data.length; from += mask.length) {
    for (let i = 0; i < mask.length; i++) if (data[from + i] !== 0) mask[i] = 1;
  }
  fillHoles(mask, spatial);
  return { data: mask, shape: spatial };
}

const outside = 2;

/** Sets zeros that no path over faces leads out of: scipy's `binary_fill_holes`. In place. */
function fillHoles(mask: Uint8Array, shape: readonly number[]): void {
  if (mask.length === 0) return;
  const strides = stridesOf(shape);
  const row = shape.at(-1)!;
  const rows = mask.length / row;
  const stack: number[] = [];
  const onBorder = (r: number) => {
    for (let a = 0; a < shape.length - 1; a++) {
      const at = Math.floor((r * row) / strides[a]) % shape[a];
      if (at === 0 || at === shape[a] - 1) return true;
    }
    return false;
  };
  const flood = () => {
    while (stack.length > 0) markRun(mask, shape, strides, stack.pop()!, stack);
  };
  for (let r = 0; r < rows; r++) {
    const step = onBorder(r) ? 1 : Math.max(1, row - 1);
    for (let i = r * row; i < (r + 1) * row; i += step) {
      if (mask[i] === 0) {
        stack.push(i);
        flood();
      }
    }
  }
  for (let i = 0; i < mask.length; i++) mask[i] = mask[i] === outside ? 0 : 1;
}

/** Marks the run of zeros around `seed` along the last axis, and puts one voxel of each run beside it on the stack. */
function markRun(mask: Uint8Array, shape: readonly number[], strides: readonly number[], seed: number, stack: number[]): void {
  if (mask[seed] !== 0) return;
  const row = shape.at(-1)!;
  const begin = seed - (seed % row);
  let [first, last] = [seed, seed];
  while (first > begin && mask[first - 1] === 0) first--;
  while (last < begin + row - 1 && mask[last + 1] === 0) last++;
  mask.fill(outside, first, last + 1);
  for (let a = 0; a < shape.length - 1; a++) {
    const at = Math.floor(seed / strides[a]) % shape[a];
    for (const side of [-1, 1]) {
      if (at + side < 0 || at + side >= shape[a]) continue;
      const shift = side * strides[a];
      for (let i = first + shift; i <= last + shift; i++) {
        if (mask[i] === 0 && (i === first + shift || mask[i - 1] !== 0)) stack.push(i);
      }
    }
  }
}

/** The smallest box, in any number of axes, around what is not 0; the whole array where all is 0. An array of any shape, as every axis counts. */
export function boundingBoxOf(mask: HostArray): BoundingBox {
  expectArguments("boundingBoxOf", "array", { mask });
  const { data, shape } = mask;
  const strides = stridesOf(shape);
  const low = shape.map((n) => n);
  const high = shape.map(() => 0);
  const row = shape.at(-1)!;
  for (let start = 0; start < data.length; start += row) {
    let first = 0;
    while (first < row && !(data[start + first] !== 0)) first++;
    if (first === row) continue;
    let last = row - 1;
    while (!(data[start + last] !== 0)) last--;
    shape.forEach((n, a) => {
      const [from, to] = a === shape.length - 1 ? [first, last] : [0, 0].map(() => Math.floor(start / strides[a]) % n);
      if (from < low[a]) low[a] = from;
      if (to >= high[a]) high[a] = to + 1;
    });
  }
  return shape.map((n, a) => (high[a] > 0 ? [low[a], high[a]] : [0, n]));
}

/** The part of `[C, …spatial]` inside a box. */
export function cropToBox<A extends TypedArray>(x: HostArray<A>, box: BoundingBox): HostArray<A> {
  expectKinds("cropToBox", { array: { x }, matrix: { box } });
  const strides = stridesOf(x.shape);
  const start = box.reduce((at, [from], a) => at + from * strides[a + 1], 0);
  return copyView(x.data, [x.shape[0], ...box.map(([from, to]) => to - from)], strides, start);
}

/** What `cropToNonzero` gives. */
export interface Cropped {
  /** The image within the box, `[C, …]`. */
  readonly data: HostArray;
  /** The given label map, with `nonzeroLabel` where it is 0 outside the mask; without one 0 inside and `nonzeroLabel` outside, int8. Shape `[1, …]`. */
  readonly seg: HostArray;
  /** The box, first and last + 1 voxel per axis of the given image. */
  readonly bbox: BoundingBox;
}

/**
 * Image and label map cropped to the box of what is not zero: nnU-Net's `crop_to_nonzero`.
 * @param seg `[1, …spatial]` of the image's size; unsigned ones become int16, for `nonzeroLabel` is negative
 * @throws ShapeError if the sizes differ
 */
export function cropToNonzero(image: HostArray, seg?: HostArray, options: { readonly nonzeroLabel?: number } = {}): Cropped {
  expectOptions("cropToNonzero", options, "nonzeroLabel:number");
  expectKinds("cropToNonzero", { array: { image }, "array?": { seg } });
  const { nonzeroLabel = -1 } = options;
  if (seg && seg.shape.slice(1).join() !== image.shape.slice(1).join()) {
    throw new ShapeError(
      `cropToNonzero: the image is [${image.shape}], the label map [${seg.shape}]; their spatial sizes must be equal`,
    );
  }
  const mask = createNonzeroMask(image);
  const bbox = boundingBoxOf(mask);
  const inside = cropToBox({ data: mask.data, shape: [1, ...mask.shape] }, bbox);
  const data = cropToBox(image, bbox);
  const labels = seg ? signed(cropToBox(seg, bbox)) : { data: new Int8Array(inside.data.length), shape: inside.shape };
  for (let i = 0; i < labels.data.length; i++) {
    if (labels.data[i] === 0 && inside.data[i % inside.data.length] === 0) labels.data[i] = nonzeroLabel;
  }
  return { data, seg: labels, bbox };
}

function signed({ data, shape }: HostArray): HostArray {
  const type = nativeOf(data);
  if (type === "u8" || type === "u16") return { data: (type === "u8" ? Int16Array : Int32Array).from(data), shape };
  return { data, shape };
}
