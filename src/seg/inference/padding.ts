/** @file Images smaller than the window: extended for the network, and cut back. */
import type { PadMode } from "../../autograd/pad.ts";
import { type HostArray, sizeOf, type TypedArray } from "../../host/array.ts";
import { edgeIndices, edgeMode, torchEdges } from "../../host/edges.ts";
import { ShapeError } from "../../host/errors.ts";

/** Visits the rows (last axis) of a window: offset in one channel of the image, offset in the window, row length. */
export function forEachRow(
  image: readonly number[],
  start: readonly number[],
  window: readonly number[],
  visit: (at: number, row: number, length: number) => void,
): void {
  const length = window[window.length - 1];
  const rows = sizeOf(window) / length;
  for (let r = 0; r < rows; r++) {
    let [rest, at, stride] = [r, start[start.length - 1], image[image.length - 1]];
    for (let axis = window.length - 2; axis >= 0; axis--) {
      at += (start[axis] + (rest % window[axis])) * stride;
      rest = Math.floor(rest / window[axis]);
      stride *= image[axis];
    }
    visit(at, r * length, length);
  }
}

/** Extends short axes to the window's size, half (rounded down) before, the rest after. */
export function padTo(
  inputs: HostArray,
  roi: readonly number[],
  mode: PadMode,
  cval: number,
): { image: HostArray; before: number[] } {
  const size = inputs.shape.slice(2);
  const padded = size.map((s, i) => Math.max(s, roi[i]));
  const before = size.map((s, i) => (padded[i] - s) >> 1);
  if (padded.every((s, i) => s === size[i])) return { image: inputs, before };
  const [planes, voxels] = [inputs.shape[0] * inputs.shape[1], sizeOf(size)];
  const sources = size.map((s, i) => sourceIndices(mode, s, before[i], padded[i] - s - before[i]));
  const data = new Float32Array(planes * sizeOf(padded));
  for (let i = 0, out = sizeOf(padded); i < out; i++) {
    let [rest, from, stride, inside] = [i, 0, 1, true];
    for (let axis = size.length - 1; axis >= 0; axis--) {
      const source = sources[axis][rest % padded[axis]];
      if (source < 0) inside = false;
      from += source * stride;
      stride *= size[axis];
      rest = Math.floor(rest / padded[axis]);
    }
    for (let p = 0; p < planes; p++) data[p * out + i] = inside ? inputs.data[p * voxels + from] : cval;
  }
  return { image: { data, shape: [...inputs.shape.slice(0, 2), ...padded] }, before };
}

/** For every index of a padded axis the index it copies, or −1 for the constant. */
function sourceIndices(mode: PadMode, size: number, before: number, after: number): Int32Array {
  const edge = edgeMode("slidingWindowInference", "paddingMode", mode, torchEdges);
  // As torch.nn.functional.pad: no index is mirrored or wrapped twice.
  const limit = edge === "reflect" ? size - 1 : edge === "wrap" ? size : Infinity;
  if (Math.max(before, after) > limit)
    throw new ShapeError(
      `slidingWindowInference: ${mode} padding of ${Math.max(before, after)} needs an axis longer than ${size}; use paddingMode "replicate" or a smaller roiSize`,
    );
  return edgeIndices(edge, -before, before + size + after, size);
}

/** The part of `a` that `padTo` was given. */
export function unpad<A extends TypedArray>(a: HostArray<A>, before: readonly number[], size: readonly number[]): HostArray<A> {
  const [n, c, ...padded] = a.shape;
  if (padded.every((s, i) => s === size[i])) return a;
  const [from, to] = [sizeOf(padded), sizeOf(size)];
  const data = a.data.slice(0, n * c * to) as A;
  for (let p = 0; p < n * c; p++)
    forEachRow(padded, before, size, (at, row, length) =>
      data.set(a.data.subarray(p * from + at, p * from + at + length), p * to + row),
    );
  return { data, shape: [n, c, ...size] };
}
